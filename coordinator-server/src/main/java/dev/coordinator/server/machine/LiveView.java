// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/** Reads the present state of a machine. */
final class LiveView implements MachineView {

  private final CoordinatorMachine machine;

  LiveView(CoordinatorMachine machine) {
    this.machine = machine;
  }

  @Override
  public long appliedIndex() {
    return machine.appliedIndex();
  }

  @Override
  public long clusterTimeMs() {
    return machine.clusterTimeMs();
  }

  @Override
  public Optional<LeaseView> lease(long leaseId) {
    return Optional.ofNullable(machine.leases().find(leaseId))
        .map(lease -> view(lease, LeaseView.MAX_LOCKS));
  }

  @Override
  public boolean knowsNonce(String nonce) {
    return machine.leases().knowsNonce(nonce);
  }

  @Override
  public long leaseTtlMs(long leaseId) {
    Lease lease = machine.leases().find(leaseId);
    return lease == null ? 0 : lease.ttlMs;
  }

  @Override
  public long leaseDeadlineMs(long leaseId) {
    Lease lease = machine.leases().find(leaseId);
    return lease == null ? 0 : lease.deadlineMs;
  }

  @Override
  public List<LeaseView> leases(long afterLeaseId, int limit) {
    List<LeaseView> page = new ArrayList<>();
    for (Lease lease : machine.leases().all().valuesAfter(afterLeaseId)) {
      if (page.size() >= limit) {
        break;
      }
      page.add(view(lease, LeaseView.MAX_LOCKS_IN_LIST));
    }
    return page;
  }

  @Override
  public Optional<LockView> lock(String name) {
    return Optional.ofNullable(machine.locks().find(name))
        .map(lock -> view(lock, LockView.MAX_WAITERS));
  }

  @Override
  public List<LockView> locks(String prefix, String afterName, int limit) {
    List<LockView> page = new ArrayList<>();
    for (Lock lock : machine.locks().from(prefix, afterName)) {
      if (page.size() >= limit || !lock.name.startsWith(prefix)) {
        break;
      }
      page.add(view(lock, LockView.MAX_WAITERS_IN_LIST));
    }
    return page;
  }

  @Override
  public int leaseCount() {
    return machine.leases().all().size();
  }

  @Override
  public int lockCount() {
    return machine.locks().all().size();
  }

  @Override
  public int waiterCount() {
    return machine.locks().waitCount();
  }

  @Override
  public int waiterCount(String name) {
    Lock lock = machine.locks().find(name);
    return lock == null ? 0 : lock.waiters.size();
  }

  @Override
  public int lockCount(long leaseId) {
    Lease lease = machine.leases().find(leaseId);
    return lease == null ? 0 : lease.claims.size();
  }

  @Override
  public boolean isConcerned(long leaseId, String name) {
    Lease lease = machine.leases().find(leaseId);
    if (lease == null) {
      return false;
    }
    // No owner comes before the empty one.
    Iterator<Claim> claims = lease.claims.valuesFrom(new Claim.Key(name, "")).iterator();
    return claims.hasNext() && claims.next().lockName().equals(name);
  }

  @Override
  public long nextDeadlineMs() {
    return machine.deadlines().nextMs();
  }

  private static LeaseView view(Lease lease, int maxLocks) {
    List<LeaseView.HeldLock> held = new ArrayList<>();
    TreeSet<String> waitingFor = new TreeSet<>(Utf8Order.INSTANCE);
    for (Claim claim : lease.claims.values()) {
      if (held.size() + waitingFor.size() >= maxLocks) {
        break;
      }
      if (claim.isHolding()) {
        held.add(new LeaseView.HeldLock(claim.lockName(), claim.token()));
      } else {
        waitingFor.add(claim.lockName());
      }
    }
    return new LeaseView(
        lease.id,
        lease.owner,
        lease.ttlMs,
        lease.deadlineMs,
        held,
        List.copyOf(waitingFor),
        lease.claims.size());
  }

  private static LockView view(Lock lock, int maxWaiters) {
    List<LockView.Waiter> waiters = new ArrayList<>(Math.min(lock.waiters.size(), maxWaiters));
    for (Claim claim : lock.waiters.values()) {
      if (waiters.size() >= maxWaiters) {
        break;
      }
      waiters.add(new LockView.Waiter(claim.leaseId(), claim.owner(), claim.sinceMs()));
    }
    return new LockView(lock.name, holder(lock.holder), waiters, lock.waiters.size());
  }

  static LockView.Holder holder(Claim claim) {
    return new LockView.Holder(
        claim.leaseId(), claim.owner(), claim.token(), claim.metadata(), claim.sinceMs());
  }
}

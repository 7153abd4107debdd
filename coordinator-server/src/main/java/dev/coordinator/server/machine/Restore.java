// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Fills the tables of a new machine from a state, and refuses one that contradicts itself. */
final class Restore {

  private final MachineState state;
  private final Generation generation;
  private final LeaseTable leases;
  private final LockTable locks;
  private final DeadlineQueue deadlines;

  /** Leases that say something about claims, which are known only when all locks are. */
  private final List<LeaseState> namingClaims = new ArrayList<>();

  Restore(
      MachineState state,
      Generation generation,
      LeaseTable leases,
      LockTable locks,
      DeadlineQueue deadlines) {
    this.state = state;
    this.generation = generation;
    this.leases = leases;
    this.locks = locks;
    this.deadlines = deadlines;
  }

  /**
   * @throws IllegalArgumentException naming the lease or lock and the rule that it breaks
   */
  void run() {
    Iterator<LeaseState> each = state.leases();
    while (each.hasNext()) {
      add(each.next());
    }
    Iterator<LockState> lock = state.locks();
    while (lock.hasNext()) {
      add(lock.next());
    }
    for (LeaseState lease : namingClaims) {
      checkClaims(lease);
    }
  }

  private void add(LeaseState stored) {
    require(leases.find(stored.id()) == null, "lease %d stands once", stored.id());
    require(
        stored.deadlineMs() > state.clusterTimeMs(),
        "lease %d ends after the time of the state",
        stored.id());
    require(!leases.knowsNonce(stored.nonce()), "lease %d has a nonce of its own", stored.id());
    Lease lease =
        new Lease(
            stored.id(),
            new Command.GrantLease(stored.ttlMs(), stored.owner(), stored.nonce()),
            generation);
    lease.deadlineMs = stored.deadlineMs();
    deadlines.schedule(lease.deadline, lease.deadlineMs);
    if (stored.acknowledgedBelow() > 0 || !stored.requests().isEmpty()) {
      lease.history(generation).restore(stored);
    }
    leases.add(lease);
    if (namesClaims(stored)) {
      namingClaims.add(stored);
    }
  }

  private static boolean namesClaims(LeaseState stored) {
    if (stored.madeForClaimId() != 0 || stored.deadlineMs() == DeadlineQueue.NEVER) {
      return true;
    }
    for (LeaseState.RequestState request : stored.requests()) {
      if (request.outcome() == null) {
        return true;
      }
    }
    return false;
  }

  private void add(LockState stored) {
    require(locks.find(stored.name()) == null, "lock %s stands once", stored.name());
    Lock lock = locks.add(stored.name());
    require(stored.holder().token() != 0, "the holder of lock %s has a token", lock.name);
    lock.holder = claim(lock, stored.holder(), null);
    for (LockState.ClaimState queued : stored.waiters()) {
      require(queued.token() == 0, "waiter %d of lock %s has no token", queued.id(), lock.name);
      require(
          locks.findWait(queued.replyIndex()) == null,
          "only waiter %d of lock %s answers entry %d",
          queued.id(),
          lock.name,
          queued.replyIndex());
      locks.addWait(lock, claim(lock, queued, waiting(lock, queued)));
    }
  }

  private Claim.Waiting waiting(Lock lock, LockState.ClaimState stored) {
    Deadline deadline = null;
    if (stored.deadlineMs() != DeadlineQueue.NEVER) {
      deadline = Deadline.ofWait(lock.name, stored.id());
      deadlines.schedule(deadline, stored.deadlineMs());
    }
    return new Claim.Waiting(
        stored.replyIndex(), stored.requestNumber(), stored.deadlineMs(), deadline);
  }

  private Claim claim(Lock lock, LockState.ClaimState stored, Claim.Waiting waiting) {
    Lease lease = leases.find(stored.leaseId());
    require(
        lease != null,
        "lease %d of claim %d on lock %s exists",
        stored.leaseId(),
        stored.id(),
        lock.name);
    Claim claim =
        new Claim(
            stored.id(),
            stored.leaseId(),
            new Claim.Key(lock.name, stored.owner()),
            stored.metadata(),
            stored.sinceMs(),
            stored.token(),
            waiting);
    require(
        lease.claims.get(claim.key()) == null,
        "owner \"%s\" of lease %d has one claim on lock %s",
        claim.owner(),
        lease.id,
        lock.name);
    lease.claims.put(claim.key(), claim);
    if (stored.requestNumber() != 0) {
      checkRequest(lease, claim, stored.requestNumber());
    }
    return claim;
  }

  private static void checkRequest(Lease lease, Claim claim, long number) {
    RequestHistory.Request request = lease.history() == null ? null : lease.history().find(number);
    require(
        request != null && request.isWaiting() && request.key().equals(claim.key()),
        "request %d of lease %d waits with claim %d on lock %s",
        number,
        lease.id,
        claim.id(),
        claim.lockName());
  }

  private void checkClaims(LeaseState stored) {
    Lease lease = leases.find(stored.id());
    boolean waitsForItsLock = false;
    if (stored.madeForClaimId() != 0) {
      Claim claim = claim(lease, stored.madeForClaimId());
      require(
          claim != null,
          "claim %d that lease %d was made for exists",
          stored.madeForClaimId(),
          lease.id);
      lease.madeFor = claim.key();
      waitsForItsLock = !claim.isHolding();
    }
    require(
        waitsForItsLock == (lease.deadlineMs == DeadlineQueue.NEVER),
        "lease %d has no deadline exactly while it waits for its own lock",
        lease.id);
    if (lease.history() != null) {
      for (RequestHistory.Request request : lease.history().requests().values()) {
        require(
            !request.isWaiting() || isAwaited(lease.claims.get(request.key()), request.number()),
            "request %d of lease %d is answered or waits",
            request.number(),
            lease.id);
      }
    }
  }

  private static boolean isAwaited(Claim claim, long requestNumber) {
    return claim != null && !claim.isHolding() && claim.waiting().requestNumber() == requestNumber;
  }

  private static Claim claim(Lease lease, long claimId) {
    for (Claim claim : lease.claims.values()) {
      if (claim.id() == claimId) {
        return claim;
      }
    }
    return null;
  }

  private static void require(boolean condition, String rule, Object... values) {
    if (!condition) {
      throw new IllegalArgumentException("state is broken: " + String.format(rule, values));
    }
  }
}

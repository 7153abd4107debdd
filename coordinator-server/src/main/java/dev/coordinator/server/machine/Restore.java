// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.Iterator;

/** Fills the tables of a new machine from a state, and refuses one that contradicts itself. */
final class Restore {

  private final MachineState state;
  private final LeaseTable leases;
  private final LockTable locks;
  private final DeadlineQueue deadlines;

  Restore(MachineState state, LeaseTable leases, LockTable locks, DeadlineQueue deadlines) {
    this.state = state;
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
    // What leases name of claims is only known to be there now.
    each = state.leases();
    while (each.hasNext()) {
      checkClaims(each.next());
    }
  }

  private void add(LeaseState stored) {
    require(leases.find(stored.id()) == null, "lease %d stands once", stored.id());
    require(
        stored.deadlineMs() > state.clusterTimeMs(),
        "lease %d ends after the time of the state",
        stored.id());
    require(
        leases.findByNonce(stored.nonce()) == null, "lease %d has a nonce of its own", stored.id());
    Lease lease =
        new Lease(
            stored.id(), new Command.GrantLease(stored.ttlMs(), stored.owner(), stored.nonce()));
    if (stored.acknowledgedBelow() > 0 || !stored.requests().isEmpty()) {
      lease.history().restore(stored);
    }
    leases.add(lease);
    deadlines.schedule(lease, stored.deadlineMs());
  }

  private void add(LockState stored) {
    require(locks.find(stored.name()) == null, "lock %s stands once", stored.name());
    Lock lock = locks.add(stored.name());
    lock.holder = claim(lock, stored.holder());
    require(lock.holder.isHolding(), "the holder of lock %s has a token", lock.name);
    for (LockState.ClaimState waiting : stored.waiters()) {
      Claim claim = claim(lock, waiting);
      require(!claim.isHolding(), "waiter %d of lock %s has no token", claim.id, lock.name);
      require(
          locks.findWait(claim.replyIndex) == null,
          "only waiter %d of lock %s answers entry %d",
          claim.id,
          lock.name,
          claim.replyIndex);
      locks.addWait(claim);
      deadlines.schedule(claim, waiting.deadlineMs());
    }
  }

  private Claim claim(Lock lock, LockState.ClaimState stored) {
    Lease lease = leases.find(stored.leaseId());
    require(
        lease != null,
        "lease %d of claim %d on lock %s exists",
        stored.leaseId(),
        stored.id(),
        lock.name);
    Claim claim =
        new Claim(
            stored.id(), lock, lease, new Claim.Key(lock.name, stored.owner()), stored.sinceMs());
    claim.token = stored.token();
    claim.metadata = stored.metadata();
    claim.replyIndex = stored.replyIndex();
    if (stored.requestNumber() != 0) {
      RequestHistory.Request request = lease.history().find(stored.requestNumber());
      require(
          request != null && request.outcome == null && request.claim == null,
          "request %d of lease %d waits with claim %d on lock %s alone",
          stored.requestNumber(),
          lease.id,
          claim.id,
          lock.name);
      claim.request = request;
      request.waitsWith(claim);
    }
    require(
        lease.claims.put(claim.key, claim) == null,
        "owner \"%s\" of lease %d has one claim on lock %s",
        claim.owner(),
        lease.id,
        lock.name);
    return claim;
  }

  private void checkClaims(LeaseState stored) {
    Lease lease = leases.find(stored.id());
    if (stored.madeForClaimId() != 0) {
      for (Claim claim : lease.claims.values()) {
        if (claim.id == stored.madeForClaimId()) {
          lease.madeFor = claim;
        }
      }
      require(
          lease.madeFor != null,
          "claim %d that lease %d was made for exists",
          stored.madeForClaimId(),
          lease.id);
    }
    require(
        (lease.madeFor != null && !lease.madeFor.isHolding())
            == (lease.deadlineMs == DeadlineQueue.NEVER),
        "lease %d has no deadline exactly while it waits for its own lock",
        lease.id);
    if (lease.hasHistory()) {
      for (RequestHistory.Request request : lease.history().requests()) {
        require(
            request.outcome != null || request.claim != null,
            "request %d of lease %d is answered or waits",
            request.number,
            lease.id);
      }
    }
  }

  private static void require(boolean condition, String rule, Object... values) {
    if (!condition) {
      throw new IllegalArgumentException("state is broken: " + String.format(rule, values));
    }
  }
}

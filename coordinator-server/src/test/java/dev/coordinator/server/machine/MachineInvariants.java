// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import static dev.coordinator.server.machine.InvariantViolation.invariant;

import java.util.Map;
import java.util.TreeMap;

/**
 * What is true of a machine between any two entries. Remembers what it saw, so that it also notices
 * tokens and times that fall.
 */
public final class MachineInvariants {

  private final CoordinatorMachine machine;
  private final Map<String, Long> tokensSeen = new TreeMap<>();
  private long highestToken;
  private long appliedIndex;
  private long clusterTimeMs;

  public MachineInvariants(CoordinatorMachine machine) {
    this.machine = machine;
  }

  /** Checks the state and how it came from the one of the last call. */
  public void check() {
    check(machine);
    checkProgress();
  }

  /** Checks the state by itself. */
  public static void check(CoordinatorMachine machine) {
    int timed = 0;
    int waits = 0;
    int claims = 0;
    for (Lock lock : machine.locks().all()) {
      invariant(lock.holder != null, "lock %s is free", lock.name);
      invariant(lock.holder.isHolding(), "holder of %s has no token", lock.name);
      checkClaim(machine, lock, lock.holder);
      invariant(lock.holder.deadlineMs == DeadlineQueue.NEVER, "%s is held for a time", lock.name);
      claims += 1 + lock.waiters.size();
      waits += lock.waiters.size();
      for (Map.Entry<Long, Claim> place : lock.waiters.entrySet()) {
        Claim claim = place.getValue();
        invariant(place.getKey() == claim.id, "waiter %d is out of place", claim.id);
        invariant(!claim.isHolding(), "waiter %d has a token", claim.id);
        invariant(
            machine.locks().findWait(claim.replyIndex) == claim,
            "wait %d is not found by its reply",
            claim.id);
        checkClaim(machine, lock, claim);
        timed += checkDeadline(machine, claim);
      }
    }
    invariant(waits == machine.locks().waitCount(), "%d waits, not all in a queue", waits);
    for (Lease lease : machine.leases().after(0)) {
      claims -= lease.claims.size();
      timed += checkLease(machine, lease);
    }
    invariant(claims == 0, "%d claims of locks are not those of leases", claims);
    invariant(timed == machine.deadlines().size(), "%d deadlines are not queued", timed);
  }

  private static void checkClaim(CoordinatorMachine machine, Lock lock, Claim claim) {
    invariant(claim.lock == lock, "claim %d is at the wrong lock", claim.id);
    invariant(claim.key.lockName().equals(lock.name), "claim %d has the wrong key", claim.id);
    invariant(
        machine.leases().find(claim.lease.id) == claim.lease,
        "claim %d on %s is that of ended lease %d",
        claim.id,
        lock.name,
        claim.lease.id);
    invariant(
        claim.lease.claims.get(claim.key) == claim,
        "lease %d does not know its claim %d",
        claim.lease.id,
        claim.id);
    invariant(claim.sinceMs <= machine.clusterTimeMs(), "claim %d is of the future", claim.id);
    invariant(claim.id <= machine.appliedIndex(), "claim %d is of a later entry", claim.id);
    invariant(claim.token <= machine.appliedIndex(), "token %d is of a later entry", claim.token);
    if (!claim.isHolding() && claim.request != null) {
      invariant(claim.request.claim == claim, "request of claim %d waits elsewhere", claim.id);
    }
  }

  private static int checkLease(CoordinatorMachine machine, Lease lease) {
    for (Claim claim : lease.claims.values()) {
      Lock lock = machine.locks().find(claim.lock.name);
      invariant(
          lock == claim.lock && (lock.holder == claim || lock.waiters.get(claim.id) == claim),
          "lock %s does not know claim %d",
          claim.lock.name,
          claim.id);
    }
    if (!lease.nonce.isEmpty()) {
      invariant(
          machine.leases().findByNonce(lease.nonce) == lease,
          "lease %d is not found by its nonce",
          lease.id);
    }
    boolean waitsForItsLock = lease.madeFor != null && !lease.madeFor.isHolding();
    invariant(
        waitsForItsLock == (lease.deadlineMs == DeadlineQueue.NEVER),
        "lease %d has the wrong kind of deadline",
        lease.id);
    invariant(
        lease.madeFor == null || lease.claims.get(lease.madeFor.key) == lease.madeFor,
        "lease %d outlives its claim",
        lease.id);
    if (lease.hasHistory()) {
      checkHistory(lease);
    }
    return checkDeadline(machine, lease);
  }

  private static void checkHistory(Lease lease) {
    RequestHistory history = lease.history();
    invariant(
        history.requests().size() <= RequestHistory.MAX_UNACKNOWLEDGED,
        "lease %d remembers too many requests",
        lease.id);
    for (RequestHistory.Request request : history.requests()) {
      invariant(
          request.number >= history.acknowledgedBelow(),
          "lease %d remembers acknowledged request %d",
          lease.id,
          request.number);
      invariant(
          (request.claim == null) != (request.outcome == null),
          "request %d of lease %d neither waits nor is answered",
          request.number,
          lease.id);
      invariant(
          request.claim == null
              || (request.claim.request == request
                  && lease.claims.get(request.claim.key) == request.claim),
          "request %d of lease %d waits with a claim that is gone",
          request.number,
          lease.id);
    }
  }

  /** How many places it takes in the queue of deadlines. */
  private static int checkDeadline(CoordinatorMachine machine, Timed timed) {
    if (timed.deadlineMs == DeadlineQueue.NEVER) {
      invariant(timed.heapPosition < 0, "%d has no deadline, but is queued", timed.id);
      return 0;
    }
    invariant(timed.heapPosition >= 0, "the deadline of %d is not queued", timed.id);
    invariant(timed.deadlineMs > machine.clusterTimeMs(), "%d is overdue", timed.id);
    invariant(
        timed.deadlineMs >= machine.deadlines().nextMs(), "%d is due before the next", timed.id);
    return 1;
  }

  private void checkProgress() {
    invariant(machine.appliedIndex() >= appliedIndex, "the applied index fell");
    invariant(machine.clusterTimeMs() >= clusterTimeMs, "time fell");
    long highestBefore = highestToken;
    for (Lock lock : machine.locks().all()) {
      long token = lock.holder.token;
      long before = tokensSeen.getOrDefault(lock.name, 0L);
      invariant(
          token == before || token > highestBefore,
          "lock %s went from token %d to %d, while %d was given",
          lock.name,
          before,
          token,
          highestBefore);
      tokensSeen.put(lock.name, token);
      highestToken = Math.max(highestToken, token);
    }
    appliedIndex = machine.appliedIndex();
    clusterTimeMs = machine.clusterTimeMs();
  }
}

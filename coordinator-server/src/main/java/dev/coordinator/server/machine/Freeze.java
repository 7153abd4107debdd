// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.ArrayList;
import java.util.List;

/** Copies the state of a machine. */
final class Freeze {

  private Freeze() {}

  static MachineState of(CoordinatorMachine machine) {
    List<LeaseState> leases = new ArrayList<>(machine.leases().size());
    for (Lease lease : machine.leases().after(0)) {
      leases.add(state(lease));
    }
    List<LockState> locks = new ArrayList<>(machine.locks().size());
    for (Lock lock : machine.locks().all()) {
      locks.add(state(lock));
    }
    return new ListedState(machine.appliedIndex(), machine.clusterTimeMs(), leases, locks);
  }

  private static LeaseState state(Lease lease) {
    long acknowledgedBelow = 0;
    List<LeaseState.RequestState> requests = new ArrayList<>();
    if (lease.hasHistory()) {
      acknowledgedBelow = lease.history().acknowledgedBelow();
      for (RequestHistory.Request request : lease.history().requests()) {
        requests.add(
            new LeaseState.RequestState(request.number, request.fingerprint, request.outcome));
      }
    }
    return new LeaseState(
        lease.id,
        lease.owner,
        lease.nonce,
        lease.ttlMs,
        lease.deadlineMs,
        lease.madeFor == null ? 0 : lease.madeFor.id,
        acknowledgedBelow,
        requests);
  }

  private static LockState state(Lock lock) {
    List<LockState.ClaimState> waiters = new ArrayList<>(lock.waiters.size());
    for (Claim claim : lock.waiters.values()) {
      waiters.add(state(claim));
    }
    return new LockState(lock.name, state(lock.holder), waiters);
  }

  private static LockState.ClaimState state(Claim claim) {
    // Whom a claim answered is forgotten once it holds: it answers nobody any more.
    boolean waits = !claim.isHolding();
    return new LockState.ClaimState(
        claim.id,
        claim.lease.id,
        claim.owner(),
        claim.metadata,
        claim.sinceMs,
        claim.token,
        claim.deadlineMs,
        waits ? claim.replyIndex : 0,
        waits && claim.request != null ? claim.request.number : 0);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Function;

/** The tables of a machine as of one moment, shared with it until it changes them. */
final class FrozenState implements MachineState {

  private final long appliedIndex;
  private final long clusterTimeMs;
  private final OrderedMap<Long, Lease> leases;
  private final OrderedMap<String, Lock> locks;

  FrozenState(CoordinatorMachine machine) {
    appliedIndex = machine.appliedIndex();
    clusterTimeMs = machine.clusterTimeMs();
    leases = machine.leases().all().share();
    locks = machine.locks().all().share();
  }

  @Override
  public long appliedIndex() {
    return appliedIndex;
  }

  @Override
  public long clusterTimeMs() {
    return clusterTimeMs;
  }

  @Override
  public int leaseCount() {
    return leases.size();
  }

  @Override
  public int lockCount() {
    return locks.size();
  }

  @Override
  public Iterator<LeaseState> leases() {
    return states(leases, FrozenState::state);
  }

  @Override
  public Iterator<LockState> locks() {
    return states(locks, FrozenState::state);
  }

  private static <V, S> Iterator<S> states(OrderedMap<?, V> map, Function<V, S> state) {
    Iterator<V> values = map.values().iterator();
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return values.hasNext();
      }

      @Override
      public S next() {
        return state.apply(values.next());
      }
    };
  }

  private static LeaseState state(Lease lease) {
    long acknowledgedBelow = 0;
    List<LeaseState.RequestState> requests = new ArrayList<>();
    if (lease.history() != null) {
      acknowledgedBelow = lease.history().acknowledgedBelow();
      for (RequestHistory.Request request : lease.history().requests().values()) {
        requests.add(
            new LeaseState.RequestState(
                request.number(),
                request.fingerprint(),
                request.key().lockName(),
                request.key().owner(),
                request.outcome()));
      }
    }
    return new LeaseState(
        lease.id,
        lease.owner,
        lease.nonce,
        lease.ttlMs,
        lease.deadlineMs,
        lease.madeFor == null ? 0 : lease.claims.get(lease.madeFor).id(),
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
    Claim.Waiting waiting = claim.waiting();
    return new LockState.ClaimState(
        claim.id(),
        claim.leaseId(),
        claim.owner(),
        claim.metadata(),
        claim.sinceMs(),
        claim.token(),
        waiting == null ? LeaseView.NO_DEADLINE : waiting.deadlineMs(),
        waiting == null ? 0 : waiting.replyIndex(),
        waiting == null ? 0 : waiting.requestNumber());
  }
}

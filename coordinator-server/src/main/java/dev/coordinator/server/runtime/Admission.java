// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.raft.NodeId;

/**
 * Decides whether a leader proposes a command, by the limits of its configuration and the applied
 * state. A request for what its lease already holds or waits for adds nothing, and neither does one
 * whose own lease is there: both always pass, for a retry must reach its stored outcome.
 */
final class Admission {

  private final NodeLimits limits;
  private final NodeId self;

  Admission(NodeLimits limits, NodeId self) {
    this.limits = limits;
    this.self = self;
  }

  /** Returns why a command is refused, or null if it may be proposed. */
  NodeException refusal(Command command, MachineView view, int pendingCalls) {
    NodeException overload = overload(pendingCalls);
    if (overload != null) {
      return overload;
    }
    if (command instanceof Command.GrantLease grant) {
      return leaseRefusal(grant, view);
    }
    if (command instanceof Command.AcquireLock acquire) {
      NodeException refusal = acquireRefusal(acquire, view);
      return refusal != null && isRetry(acquire.ownLease(), view) ? null : refusal;
    }
    return null;
  }

  NodeException overload(int pendingCalls) {
    return pendingCalls < limits.maxPendingCalls()
        ? null
        : NodeException.overloaded(self, NodeLimits.PENDING_CALLS, limits.maxPendingCalls());
  }

  private NodeException leaseRefusal(Command.GrantLease grant, MachineView view) {
    return view.leaseCount() < limits.maxLeases() || isRetry(grant, view)
        ? null
        : limitReached(NodeLimits.LEASES, limits.maxLeases());
  }

  /** Whether the lease that the request would make for itself is there. */
  private static boolean isRetry(Command.GrantLease grant, MachineView view) {
    return grant != null && view.knowsNonce(grant.nonce());
  }

  private NodeException acquireRefusal(Command.AcquireLock acquire, MachineView view) {
    if (acquire.ownLease() != null) {
      NodeException refusal = leaseRefusal(acquire.ownLease(), view);
      if (refusal != null) {
        return refusal;
      }
    }
    // The cheap questions come first; what must be looked up is looked up only at a limit.
    if (acquire.waitMs() != 0
        && view.waiterCount(acquire.name()) >= limits.maxWaitersPerLock()
        && !view.isConcerned(acquire.leaseId(), acquire.name())) {
      return limitReached(NodeLimits.WAITERS_PER_LOCK, limits.maxWaitersPerLock());
    }
    if (view.lockCount(acquire.leaseId()) >= limits.maxLocksPerLease()
        && !view.isConcerned(acquire.leaseId(), acquire.name())) {
      return limitReached(NodeLimits.LOCKS_PER_LEASE, limits.maxLocksPerLease());
    }
    if (view.lockCount() >= limits.maxLocks() && view.lock(acquire.name()).isEmpty()) {
      return limitReached(NodeLimits.LOCKS, limits.maxLocks());
    }
    return null;
  }

  private NodeException limitReached(String limit, long maximum) {
    return NodeException.limitReached(self, limit, maximum);
  }
}

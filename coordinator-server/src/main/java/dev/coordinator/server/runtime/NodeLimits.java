// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

/**
 * What a member accepts. The leader checks those of leases, locks and waiters against the applied
 * state before it proposes, so commands under way may pass them by as many; the state machine
 * itself knows no configuration, which could differ between members.
 *
 * @param maxQueuedInputs calls waiting for the loop
 * @param maxPendingCalls proposed commands and reads without an answer, waiters not counted; and as
 *     many renewals of leases
 * @param maxLeases living leases
 * @param maxLocks locks held or waited for
 * @param maxWaitersPerLock waiters of one lock
 * @param maxLocksPerLease locks that one lease holds or waits for
 * @param maxInitialState locks and waiters in initial states of watches that are not yet sent
 */
public record NodeLimits(
    int maxQueuedInputs,
    int maxPendingCalls,
    int maxLeases,
    int maxLocks,
    int maxWaitersPerLock,
    int maxLocksPerLease,
    int maxInitialState) {

  /** The configuration keys, as errors and metrics name them. */
  static final String QUEUED_INPUTS = "limits.maxQueuedInputs";

  static final String PENDING_CALLS = "limits.maxPendingCalls";
  static final String LEASES = "limits.maxLeases";
  static final String LOCKS = "limits.maxLocks";
  static final String WAITERS_PER_LOCK = "limits.maxWaitersPerLock";
  static final String LOCKS_PER_LEASE = "limits.maxLocksPerLease";
  static final String INITIAL_STATE = "limits.maxInitialState";

  public static final NodeLimits DEFAULT =
      new NodeLimits(65_536, 65_536, 1_000_000, 1_000_000, 10_000, 10_000, 100_000);
}

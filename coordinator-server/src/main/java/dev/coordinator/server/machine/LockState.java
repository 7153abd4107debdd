// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.List;

/**
 * A lock in a {@link MachineState}.
 *
 * @param waiters in the order in which they came
 */
public record LockState(String name, ClaimState holder, List<ClaimState> waiters) {

  /**
   * What one owner within a lease has on the lock.
   *
   * @param sinceMs cluster time of the request while it waits, of the grant once it holds
   * @param token 0 while it waits
   * @param deadlineMs cluster time at which the wait ends, {@link LeaseView#NO_DEADLINE} if never
   * @param replyIndex the entry that is answered when the wait ends
   * @param requestNumber the numbered request of its lease that it answers, 0 for a plain one
   */
  public record ClaimState(
      long id,
      long leaseId,
      String owner,
      String metadata,
      long sinceMs,
      long token,
      long deadlineMs,
      long replyIndex,
      long requestNumber) {}
}

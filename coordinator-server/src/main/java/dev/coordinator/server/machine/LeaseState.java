// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.List;

/**
 * A lease in a {@link MachineState}. What it holds and waits for stands with the locks.
 *
 * @param deadlineMs cluster time, {@link LeaseView#NO_DEADLINE} if it has none
 * @param madeForClaimId the claim that it was made for on the spot and ends with, 0 if there is
 *     none
 * @param acknowledgedBelow requests with smaller numbers are forgotten
 * @param requests those that are remembered, by rising number
 */
public record LeaseState(
    long id,
    String owner,
    String nonce,
    long ttlMs,
    long deadlineMs,
    long madeForClaimId,
    long acknowledgedBelow,
    List<RequestState> requests) {

  /**
   * A numbered request.
   *
   * @param lockName the lock that it is about
   * @param owner the owner within the lease that it is about
   * @param outcome null while it waits
   */
  public record RequestState(
      long number, long fingerprint, String lockName, String owner, Outcome outcome) {}
}

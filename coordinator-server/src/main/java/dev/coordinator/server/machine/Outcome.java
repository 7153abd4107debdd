// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.List;

/** What became of a command. */
public sealed interface Outcome {

  record LeaseGranted(long leaseId, long ttlMs) implements Outcome {}

  record LeaseRevoked(long leaseId) implements Outcome {}

  /** One renewal for each lease asked for, in the same order. */
  record LeasesRenewed(List<Renewal> renewals) implements Outcome {}

  /**
   * @param ttlMs the TTL in force from the entry's time on; 0 if not alive
   * @param slackMs what was left of the TTL when the renewal came; 0 if not alive
   */
  record Renewal(long leaseId, boolean alive, long ttlMs, long slackMs) {}

  /**
   * @param alreadyHeld whether the same lease and owner held the lock before this request
   */
  record LockAcquired(String name, long token, long leaseId, boolean alreadyHeld)
      implements Outcome {}

  /**
   * @param timedOut whether it waited; otherwise the request did not want to wait
   * @param holder at the end of the wait; null if the lock was just about to pass on
   */
  record LockNotAcquired(String name, boolean timedOut, LockView.Holder holder)
      implements Outcome {}

  record LockReleased(String name) implements Outcome {}

  record LeaseNotFound(long leaseId) implements Outcome {}

  /**
   * @param presentToken the token of the holder that the request met; 0 if there was none
   */
  record NotLockOwner(String name, long presentToken) implements Outcome {}

  /** The lease ended while the request waited. */
  record LeaseEnded(long leaseId) implements Outcome {}

  /** The wait was cancelled, or a retry took its place. */
  record WaitCancelled(String name) implements Outcome {}

  /**
   * The number was used with another request.
   *
   * @param number 0 if it was a nonce instead
   */
  record RequestMismatch(long number) implements Outcome {}

  /** A late duplicate of an acknowledged request; it had no effect. */
  record RequestForgotten(long number, long acknowledgedBelow) implements Outcome {}

  /**
   * It came only after a request of a larger number for the same lock and owner. It had no effect
   * and will never have one.
   *
   * @param overtakenBy the smallest such number that is remembered
   */
  record RequestOvertaken(long number, long overtakenBy) implements Outcome {}

  /** The lease has too many unacknowledged outcomes. */
  record TooManyUnacknowledged(long leaseId, int maximum) implements Outcome {}

  /** Commands that nobody waits for. */
  record Done() implements Outcome {

    public static final Done INSTANCE = new Done();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

/** Something that happened to the state: a pure function of the log. Durations are cluster time. */
public sealed interface Event {

  record LeaseGranted(long leaseId, long ttlMs) implements Event {}

  /** A lease ended, after the events of the locks that it freed. */
  record LeaseEnded(long leaseId, Cause cause) implements Event {}

  /**
   * @param waitedMs from the request to the grant
   */
  record LockAcquired(
      String name, long leaseId, String owner, long token, String metadata, long waitedMs)
      implements Event {}

  /**
   * @param heldMs from the grant to the release
   */
  record LockReleased(
      String name,
      long leaseId,
      String owner,
      long token,
      String metadata,
      Cause cause,
      long heldMs)
      implements Event {}

  /** Why a lock or a lease ended. */
  enum Cause {
    /** Given back by its holder. */
    RELEASED,
    /** The lease was not renewed in time. */
    EXPIRED,
    /** The lease was revoked. */
    REVOKED
  }
}

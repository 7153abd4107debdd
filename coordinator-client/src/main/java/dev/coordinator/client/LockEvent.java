// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

/**
 * Something that happened to a lock.
 *
 * @param revision the Raft index of the entry that caused it
 * @param ordinal its place among the events of that entry
 * @param leaseId the lease of the holder that took or lost the lock
 * @param token that holder's fencing token
 */
public record LockEvent(
    long revision,
    int ordinal,
    Kind kind,
    String name,
    long leaseId,
    String owner,
    long token,
    String metadata) {

  /** What happened. */
  public enum Kind {
    /** The lock was granted. */
    ACQUIRED,
    /** The holder gave the lock back. */
    RELEASED,
    /** The holder lost the lock because its lease ran out. */
    EXPIRED,
    /** The holder lost the lock because its lease was revoked. */
    REVOKED,
    /** A kind that this version of the SDK does not know. */
    UNKNOWN
  }
}

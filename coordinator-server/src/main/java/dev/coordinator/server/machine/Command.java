// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.List;

/** What a log entry does to the state machine. Validated before it is proposed. */
public sealed interface Command {

  /**
   * Makes a lease. Its id is the index of the entry.
   *
   * @param owner for people; may be empty
   * @param nonce a repeated grant with the same nonce returns the living lease made by the first
   *     one; empty for none
   */
  record GrantLease(long ttlMs, String owner, String nonce) implements Command {}

  record RevokeLease(long leaseId) implements Command {}

  /** Renews leases to their full TTLs; those that have ended are skipped and reported. */
  record RenewLeases(List<Long> leaseIds) implements Command {}

  /**
   * Takes a lock or queues for it.
   *
   * @param leaseId 0 if {@code ownLease} is set
   * @param ownLease the lease to make on the spot, or null. It has no deadline while it waits, gets
   *     its full TTL with the grant, and ends when the lock is released or the wait ends
   * @param owner tells owners within the lease apart; may be empty
   * @param waitMs how long to wait: 0 not at all, {@link #UNLIMITED} without end
   */
  record AcquireLock(
      String name,
      long leaseId,
      GrantLease ownLease,
      String owner,
      long waitMs,
      String metadata,
      RequestId requestId)
      implements Command {

    public static final long UNLIMITED = -1;
  }

  record ReleaseLock(String name, long leaseId, String owner, long token, RequestId requestId)
      implements Command {}

  /** Takes the wait whose reply belongs to the entry at {@code acquireIndex} out of the queue. */
  record CancelWait(String name, long acquireIndex) implements Command {}

  /** Changes nothing but the time. */
  record Pulse() implements Command {

    public static final Pulse INSTANCE = new Pulse();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.List;
import java.util.Objects;

/**
 * What a log entry does to the state machine.
 *
 * <p>Constructors refuse what no state machine could carry out, with an {@link
 * IllegalArgumentException}, so an ill-formed command never gets into the log. The finer rules of
 * the service (bounds of TTLs, lengths, the form of names) are checked before.
 */
public sealed interface Command {

  /** The longest duration that a command may name: a century. */
  long MAX_DURATION_MS = 36_525L * 24 * 60 * 60 * 1_000;

  <R> R accept(Visitor<R> visitor);

  /** Does one thing for each kind of command. */
  interface Visitor<R> {
    R grantLease(GrantLease command);

    R revokeLease(RevokeLease command);

    R renewLeases(RenewLeases command);

    R acquireLock(AcquireLock command);

    R releaseLock(ReleaseLock command);

    R cancelWait(CancelWait command);

    R pulse(Pulse command);
  }

  /**
   * Makes a lease. Its id is the index of the entry.
   *
   * @param owner for people; may be empty
   * @param nonce a repeated grant with the same nonce renews and returns the living lease made by
   *     the first one; empty for none
   */
  record GrantLease(long ttlMs, String owner, String nonce) implements Command {

    public GrantLease {
      require(ttlMs >= 1 && ttlMs <= MAX_DURATION_MS, "ttl_ms", "is 1 ms to a century", ttlMs);
      Objects.requireNonNull(owner, "owner");
      Objects.requireNonNull(nonce, "nonce");
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
      return visitor.grantLease(this);
    }
  }

  record RevokeLease(long leaseId) implements Command {

    public RevokeLease {
      require(leaseId >= 1, "lease_id", "is 1 or more", leaseId);
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
      return visitor.revokeLease(this);
    }
  }

  /** Renews leases to their full TTLs; those that have ended are skipped and reported. */
  record RenewLeases(List<Long> leaseIds) implements Command {

    public RenewLeases {
      leaseIds = List.copyOf(leaseIds);
      for (long leaseId : leaseIds) {
        require(leaseId >= 1, "lease_ids", "are 1 or more", leaseId);
      }
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
      return visitor.renewLeases(this);
    }
  }

  /**
   * Takes a lock or queues for it.
   *
   * @param leaseId 0 if {@code ownLease} is set
   * @param ownLease the lease to make on the spot, or null. It has no deadline while it waits, gets
   *     its full TTL with the grant, and ends when the lock is released or the wait ends
   * @param owner tells owners within the lease apart; may be empty
   * @param waitMs how long to wait: 0 not at all, {@link #UNLIMITED} without end
   * @param requestId {@link RequestId#NONE} if {@code ownLease} is set: its nonce identifies
   *     retries
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

    public AcquireLock {
      require(!name.isEmpty(), "name", "is not empty", name);
      if (ownLease == null) {
        require(leaseId >= 1, "lease_id", "is 1 or more without an own lease", leaseId);
      } else {
        require(leaseId == 0, "lease_id", "is absent with an own lease", leaseId);
        require(requestId.isNone(), "request_id", "is absent with an own lease", requestId);
      }
      Objects.requireNonNull(owner, "owner");
      require(
          waitMs >= UNLIMITED && waitMs <= MAX_DURATION_MS,
          "wait_ms",
          "is absent or 0 ms to a century",
          waitMs);
      Objects.requireNonNull(metadata, "metadata");
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
      return visitor.acquireLock(this);
    }
  }

  record ReleaseLock(String name, long leaseId, String owner, long token, RequestId requestId)
      implements Command {

    public ReleaseLock {
      require(!name.isEmpty(), "name", "is not empty", name);
      require(leaseId >= 1, "lease_id", "is 1 or more", leaseId);
      Objects.requireNonNull(owner, "owner");
      require(token >= 0, "token", "is 0 or more", token);
      Objects.requireNonNull(requestId, "request_id");
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
      return visitor.releaseLock(this);
    }
  }

  /** Takes the wait whose reply belongs to the entry at {@code acquireIndex} out of the queue. */
  record CancelWait(String name, long acquireIndex) implements Command {

    public CancelWait {
      require(!name.isEmpty(), "name", "is not empty", name);
      require(acquireIndex >= 1, "acquire_index", "is 1 or more", acquireIndex);
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
      return visitor.cancelWait(this);
    }
  }

  /** Changes nothing but the time. */
  record Pulse() implements Command {

    public static final Pulse INSTANCE = new Pulse();

    @Override
    public <R> R accept(Visitor<R> visitor) {
      return visitor.pulse(this);
    }
  }

  private static void require(boolean condition, String field, String rule, Object value) {
    if (!condition) {
      throw new IllegalArgumentException(field + " " + rule + ", not \"" + value + "\"");
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import java.util.Map;

/**
 * A call that the cluster refused, or that could not be carried out. The base of every exception of
 * this package.
 */
public class CoordinatorException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** Why a call failed: the reasons of the wire contract, and those that arise in the client. */
  public enum Reason {
    /** No member leads at this moment. */
    NO_LEADER,
    /** The member asked does not lead. */
    NOT_LEADER,
    /** The call may or may not have taken effect. */
    OUTCOME_UNKNOWN,
    /** The lease is unknown, or has ended. */
    LEASE_NOT_FOUND,
    /** Lease, owner or token is not that of the present holder. */
    NOT_LOCK_OWNER,
    /** The lease ended while the call was waiting, or the local view of it did. */
    LEASE_EXPIRED,
    /** The wait was given up. */
    WAIT_CANCELLED,
    /** The TTL lies outside the configured bounds. */
    TTL_OUT_OF_RANGE,
    /** The events asked for are no longer kept. */
    COMPACTED,
    /** A field is malformed; see {@code field} and {@code rule} of {@link #details()}. */
    INVALID_FIELD,
    /** The request number was used before with another request. */
    REQUEST_MISMATCH,
    /** The request is a late duplicate and had no effect. */
    REQUEST_FORGOTTEN,
    /** A limit of the cluster's configuration is reached, or one of a {@link Session}. */
    LIMIT_REACHED,
    /** The cluster has more work waiting than it accepts. */
    OVERLOADED,
    /** A change of members or a transfer of leadership is not possible now. */
    MEMBERSHIP_CHANGE_REFUSED,
    /** Leadership did not pass to the chosen member in time. */
    TRANSFER_FAILED,
    /** The member asked belongs to another cluster; see {@code cluster_id} of the details. */
    WRONG_CLUSTER,
    /**
     * The request came after a later one for the same lock and owner; it will never have an effect.
     */
    REQUEST_OVERTAKEN,
    /** No member could be reached. */
    UNREACHABLE,
    /** The client or the session was closed. */
    CLOSED,
    /** The calling thread was interrupted; its interrupt flag is set. */
    INTERRUPTED,
    /** A status without a reason of the contract; the message tells it. */
    OTHER
  }

  private final Reason reason;
  private final transient Map<String, String> details;

  /** Makes an exception without details. */
  public CoordinatorException(Reason reason, String message) {
    this(reason, message, Map.of(), null);
  }

  /** Makes an exception. */
  public CoordinatorException(
      Reason reason, String message, Map<String, String> details, Throwable cause) {
    super(message, cause);
    this.reason = reason;
    this.details = Map.copyOf(details);
  }

  static boolean isFor(Reason reason, Throwable failure) {
    return failure instanceof CoordinatorException failed && failed.reason == reason;
  }

  /** Why the call failed. */
  public final Reason reason() {
    return reason;
  }

  /** What the cluster adds to the reason, such as {@code field} and {@code rule}; may be empty. */
  public final Map<String, String> details() {
    return details == null ? Map.of() : details;
  }
}

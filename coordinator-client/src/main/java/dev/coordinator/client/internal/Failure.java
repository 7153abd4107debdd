// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.coordinator.client.CoordinatorException;
import dev.coordinator.client.CoordinatorException.Reason;
import dev.coordinator.client.LeaseExpiredException;
import dev.coordinator.client.UnavailableException;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.util.Map;

/**
 * Why an attempt failed, and what may be done about it.
 *
 * @param fromMember whether the member itself said so; otherwise the connection failed
 * @param retryAfterMs how long the member asks to wait; 0 if it does not say
 */
public record Failure(
    Kind kind,
    Reason reason,
    String message,
    Map<String, String> details,
    boolean fromMember,
    long retryAfterMs) {

  private static final String DOMAIN = "coordinator.dev";

  /** What the caller may conclude. */
  public enum Kind {
    /** The call had no effect: always safe to repeat. */
    NOT_APPLIED,
    /**
     * The call may or may not have taken effect: only what is numbered or idempotent may be
     * repeated.
     */
    UNKNOWN,
    /** The answer is no. */
    REFUSED
  }

  /** The member did not answer, or its connection broke. */
  public static Failure broken(String message) {
    return new Failure(Kind.UNKNOWN, Reason.UNREACHABLE, message, Map.of(), false, 0);
  }

  /** The member ended the call well, but without an answer. */
  static Failure unanswered(String address) {
    return broken(address + " ended the call without an answer");
  }

  /** The member belongs to another cluster than the others, where the call was lost. */
  static Failure wrongCluster(String clusterId) {
    return new Failure(
        Kind.NOT_APPLIED,
        Reason.WRONG_CLUSTER,
        "this is a member of cluster '" + clusterId + "'",
        Map.of("cluster_id", clusterId),
        true,
        0);
  }

  static Failure of(Status status, Metadata trailers) {
    ErrorInfo info = null;
    long retryAfterMs = 0;
    com.google.rpc.Status details = StatusProto.fromStatusAndTrailers(status, trailers);
    if (details != null) {
      try {
        for (Any detail : details.getDetailsList()) {
          if (detail.is(ErrorInfo.class)) {
            info = detail.unpack(ErrorInfo.class);
          } else if (detail.is(RetryInfo.class)) {
            retryAfterMs =
                ProtoRecords.duration(detail.unpack(RetryInfo.class).getRetryDelay()).toMillis();
          }
        }
      } catch (InvalidProtocolBufferException e) {
        // The status alone has to do.
        info = null;
      }
    }
    String text =
        status.getDescription() == null ? status.getCode().name() : status.getDescription();
    if (info == null || !info.getDomain().equals(DOMAIN)) {
      return ofCode(status, text);
    }
    Reason reason = reasonOf(info.getReason());
    return new Failure(
        kindOf(reason, status), reason, text, info.getMetadataMap(), true, retryAfterMs);
  }

  private static Failure ofCode(Status status, String text) {
    return switch (status.getCode()) {
      case UNAVAILABLE, CANCELLED, DEADLINE_EXCEEDED ->
          broken(status.getCause() == null ? text : text + ": " + status.getCause().getMessage());
      // The member failed at the call, somewhere.
      case INTERNAL, UNKNOWN ->
          new Failure(
              Kind.UNKNOWN,
              Reason.OUTCOME_UNKNOWN,
              status.getCode() + ": " + text,
              Map.of(),
              true,
              0);
      default ->
          new Failure(
              Kind.REFUSED, Reason.OTHER, status.getCode() + ": " + text, Map.of(), true, 0);
    };
  }

  private static Reason reasonOf(String name) {
    try {
      return Reason.valueOf(name);
    } catch (IllegalArgumentException e) {
      return Reason.OTHER;
    }
  }

  private static Kind kindOf(Reason reason, Status status) {
    return switch (reason) {
      case NO_LEADER, NOT_LEADER, OVERLOADED, WRONG_CLUSTER -> Kind.NOT_APPLIED;
      case OUTCOME_UNKNOWN -> Kind.UNKNOWN;
      case OTHER -> status.getCode() == Status.Code.UNAVAILABLE ? Kind.UNKNOWN : Kind.REFUSED;
      default -> Kind.REFUSED;
    };
  }

  /** The exception for a call that ends with this failure. */
  public CoordinatorException toException() {
    return switch (reason) {
      case LEASE_NOT_FOUND, LEASE_EXPIRED -> new LeaseExpiredException(reason, message, details);
      default -> new CoordinatorException(reason, message, details, null);
    };
  }

  /** The exception for a call that gave up retrying after this failure. */
  CoordinatorException toUnavailable(boolean outcomeKnown) {
    return new UnavailableException(reason, message, outcomeKnown, details);
  }
}

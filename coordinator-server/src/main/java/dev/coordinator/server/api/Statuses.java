// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.metrics.LimitMetrics;
import dev.coordinator.server.runtime.CompactedException;
import dev.coordinator.server.runtime.NodeException;
import dev.coordinator.server.transport.Leadership;
import dev.coordinator.server.wire.Failure;
import dev.coordinator.v1.ErrorReason;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns what went wrong into statuses, as errors.proto describes them. */
final class Statuses {

  private static final Logger log = LoggerFactory.getLogger(Statuses.class);

  /** Long enough for a queue of calls to drain. */
  private static final long OVERLOADED_RETRY_AFTER_MS = 250;

  /** Somebody has to let go first: a lease, a lock, a wait or a watch. */
  private static final long LIMIT_REACHED_RETRY_AFTER_MS = 1_000;

  /** A member that has to catch up, or a change before this one, takes about this long. */
  private static final long REFUSED_RETRY_AFTER_MS = 1_000;

  private final Leadership leadership;
  private final LimitMetrics limits;

  Statuses(Leadership leadership, LimitMetrics limits) {
    this.leadership = leadership;
    this.limits = limits;
  }

  /** The status of a call that failed with an exception. */
  StatusRuntimeException of(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause instanceof StatusRuntimeException status) {
      return status;
    }
    if (cause instanceof NodeException refusal) {
      return of(refusal).toException();
    }
    if (cause instanceof CompactedException compacted) {
      return Failure.of(
              Code.OUT_OF_RANGE, ErrorReason.ERROR_REASON_COMPACTED, compacted.getMessage())
          .with("oldest_revision", compacted.oldestRevision())
          .toException();
    }
    log.error("a call failed", cause);
    return Status.INTERNAL
        .withDescription("the member failed to handle the call")
        .asRuntimeException();
  }

  private Failure of(NodeException refusal) {
    return switch (refusal.reason()) {
      case NO_LEADER -> leadership.noLeader();
      case NOT_LEADER -> leadership.notLeader(refusal.leader());
      case OUTCOME_UNKNOWN -> leadership.outcomeUnknown(refusal.getMessage());
      case OVERLOADED ->
          Failure.of(
                  Code.RESOURCE_EXHAUSTED,
                  ErrorReason.ERROR_REASON_OVERLOADED,
                  refusal.getMessage())
              .with("limit", refusal.limit())
              .with("maximum", refusal.maximum())
              .retryAfterMs(OVERLOADED_RETRY_AFTER_MS);
      case NOT_NOW -> refused(refusal).retryAfterMs(REFUSED_RETRY_AFTER_MS);
      case ALREADY, IMPOSSIBLE -> refused(refusal);
      case TRANSFER_FAILED ->
          Failure.of(Code.ABORTED, ErrorReason.ERROR_REASON_TRANSFER_FAILED, refusal.getMessage());
      case LIMIT_REACHED -> limitReached(refusal.limit(), refusal.maximum(), refusal.getMessage());
    };
  }

  private static Failure refused(NodeException refusal) {
    return Failure.of(
            Code.FAILED_PRECONDITION,
            ErrorReason.ERROR_REASON_MEMBERSHIP_CHANGE_REFUSED,
            refusal.getMessage())
        .with("refusal", refusal.reason());
  }

  /** The status of a call that is refused because of a limit of the configuration; counts it. */
  StatusRuntimeException limitReached(String limit, long maximum) {
    limits.refused(limit);
    return reached(limit, maximum).toException();
  }

  private static Failure reached(String limit, long maximum) {
    return limitReached(limit, maximum, limit + " has reached " + maximum);
  }

  private static Failure limitReached(String limit, long maximum, String message) {
    return Failure.of(Code.RESOURCE_EXHAUSTED, ErrorReason.ERROR_REASON_LIMIT_REACHED, message)
        .with("limit", limit)
        .with("maximum", maximum)
        .retryAfterMs(LIMIT_REACHED_RETRY_AFTER_MS);
  }

  static Failure leaseNotFound(long leaseId) {
    return Failure.of(
            Code.NOT_FOUND,
            ErrorReason.ERROR_REASON_LEASE_NOT_FOUND,
            "lease " + id(leaseId) + " is unknown or has ended")
        .with("lease_id", id(leaseId));
  }

  /**
   * The outcome, if it is the expected one.
   *
   * @throws StatusRuntimeException with the failure that it stands for otherwise
   */
  static <O extends Outcome> O expect(Class<O> expected, Outcome outcome) {
    if (expected.isInstance(outcome)) {
      return expected.cast(outcome);
    }
    throw failureOf(outcome).toException();
  }

  static Failure failureOf(Outcome outcome) {
    if (outcome instanceof Outcome.LeaseNotFound lease) {
      return leaseNotFound(lease.leaseId());
    }
    if (outcome instanceof Outcome.NotLockOwner lock) {
      return notLockOwner(lock);
    }
    if (outcome instanceof Outcome.LeaseEnded lease) {
      return Failure.of(
              Code.ABORTED,
              ErrorReason.ERROR_REASON_LEASE_EXPIRED,
              "lease " + id(lease.leaseId()) + " ended while the call was waiting")
          .with("lease_id", id(lease.leaseId()));
    }
    if (outcome instanceof Outcome.WaitCancelled lock) {
      return Failure.of(
              Code.ABORTED,
              ErrorReason.ERROR_REASON_WAIT_CANCELLED,
              "the wait was cancelled or repeated by its caller")
          .with("name", lock.name());
    }
    if (outcome instanceof Outcome.RequestMismatch request) {
      return Failure.of(
              Code.INVALID_ARGUMENT,
              ErrorReason.ERROR_REASON_REQUEST_MISMATCH,
              (request.number() == 0 ? "the nonce" : "request number " + request.number())
                  + " was used before with another request")
          .with("number", request.number());
    }
    if (outcome instanceof Outcome.RequestForgotten request) {
      return Failure.of(
              Code.OUT_OF_RANGE,
              ErrorReason.ERROR_REASON_REQUEST_FORGOTTEN,
              "request number " + request.number() + " lies below the acknowledged ones")
          .with("number", request.number())
          .with("acknowledged_below", request.acknowledgedBelow());
    }
    if (outcome instanceof Outcome.RequestOvertaken request) {
      return Failure.of(
              Code.ABORTED,
              ErrorReason.ERROR_REASON_REQUEST_OVERTAKEN,
              "request number "
                  + request.number()
                  + " came after number "
                  + request.overtakenBy()
                  + " for the same lock and owner")
          .with("number", request.number())
          .with("overtaken_by", request.overtakenBy());
    }
    if (outcome instanceof Outcome.TooManyUnacknowledged requests) {
      return reached("unacknowledged requests of a lease", requests.maximum());
    }
    throw new IllegalStateException("unexpected outcome " + outcome);
  }

  private static Failure notLockOwner(Outcome.NotLockOwner lock) {
    Failure failure =
        Failure.of(
                Code.FAILED_PRECONDITION,
                ErrorReason.ERROR_REASON_NOT_LOCK_OWNER,
                "lease, owner or token is not that of the lock's present holder")
            .with("name", lock.name());
    return lock.presentToken() == 0 ? failure : failure.with("token", id(lock.presentToken()));
  }

  /** Ids and tokens are unsigned. */
  private static String id(long value) {
    return Long.toUnsignedString(value);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.coordinator.v1.ErrorReason;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Optional;

/** What a failed call says to a person. */
public final class GrpcFailure {

  private static final String DOMAIN = "coordinator.dev";
  private static final String PREFIX = "ERROR_REASON_";

  private GrpcFailure() {}

  /**
   * The reason that the member gave; UNSPECIFIED if it gave none or the failure arose on the way.
   */
  public static ErrorReason reason(StatusRuntimeException e) {
    try {
      return info(e)
          .map(info -> ErrorReason.valueOf(PREFIX + info.getReason()))
          .orElse(ErrorReason.ERROR_REASON_UNSPECIFIED);
    } catch (IllegalArgumentException unknown) {
      // A newer member may have reasons that this program does not know.
      return ErrorReason.ERROR_REASON_UNSPECIFIED;
    }
  }

  /** What the member said about a change that was refused because it is so already; or empty. */
  static Optional<String> doneAlready(StatusRuntimeException e) {
    boolean done =
        reason(e) == ErrorReason.ERROR_REASON_MEMBERSHIP_CHANGE_REFUSED
            && info(e).orElseThrow().getMetadataOrDefault("refusal", "").equals("ALREADY");
    return done ? Optional.ofNullable(e.getStatus().getDescription()) : Optional.empty();
  }

  /** Whether the member said that the same call may succeed after a while. */
  static boolean retryHelps(StatusRuntimeException e) {
    com.google.rpc.Status status = StatusProto.fromThrowable(e);
    return status != null
        && status.getDetailsList().stream().anyMatch(detail -> detail.is(RetryInfo.class));
  }

  /** What the member itself tells of the failure, if it does. */
  private static Optional<ErrorInfo> info(StatusRuntimeException e) {
    com.google.rpc.Status status = StatusProto.fromThrowable(e);
    if (status == null) {
      return Optional.empty();
    }
    for (Any detail : status.getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        return unpack(detail).filter(info -> info.getDomain().equals(DOMAIN));
      }
    }
    return Optional.empty();
  }

  private static Optional<ErrorInfo> unpack(Any detail) {
    try {
      return Optional.of(detail.unpack(ErrorInfo.class));
    } catch (InvalidProtocolBufferException notOurs) {
      return Optional.empty();
    }
  }

  /** One line: what went wrong, and its reason where there is one. */
  public static String describe(StatusRuntimeException e) {
    Status status = e.getStatus();
    ErrorReason reason = reason(e);
    String text =
        status.getDescription() == null ? status.getCode().name() : status.getDescription();
    String line = text.lines().findFirst().orElse(text);
    return reason == ErrorReason.ERROR_REASON_UNSPECIFIED
        ? line + " (" + status.getCode() + ")"
        : line + " (" + reason.name().substring(PREFIX.length()) + ")";
  }

  static int exitCode(StatusRuntimeException e) {
    return switch (e.getStatus().getCode()) {
      case UNAVAILABLE, DEADLINE_EXCEEDED -> ExitCode.UNAVAILABLE;
      case INVALID_ARGUMENT, OUT_OF_RANGE -> ExitCode.USAGE;
      default -> ExitCode.FAILED;
    };
  }
}

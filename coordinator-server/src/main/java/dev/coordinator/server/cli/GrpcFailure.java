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

/** What a failed call says to a person. */
public final class GrpcFailure {

  private static final String DOMAIN = "coordinator.dev";
  private static final String PREFIX = "ERROR_REASON_";

  private GrpcFailure() {}

  /**
   * The reason that the member gave; UNSPECIFIED if it gave none or the failure arose on the way.
   */
  public static ErrorReason reason(StatusRuntimeException e) {
    com.google.rpc.Status status = StatusProto.fromThrowable(e);
    if (status != null) {
      for (Any detail : status.getDetailsList()) {
        if (detail.is(ErrorInfo.class)) {
          return reason(detail);
        }
      }
    }
    return ErrorReason.ERROR_REASON_UNSPECIFIED;
  }

  /** Whether the member said that the same call may succeed after a while. */
  static boolean retryHelps(StatusRuntimeException e) {
    com.google.rpc.Status status = StatusProto.fromThrowable(e);
    return status != null
        && status.getDetailsList().stream().anyMatch(detail -> detail.is(RetryInfo.class));
  }

  private static ErrorReason reason(Any detail) {
    try {
      ErrorInfo info = detail.unpack(ErrorInfo.class);
      return info.getDomain().equals(DOMAIN)
          ? ErrorReason.valueOf(PREFIX + info.getReason())
          : ErrorReason.ERROR_REASON_UNSPECIFIED;
    } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
      // A newer member may have reasons that this program does not know.
      return ErrorReason.ERROR_REASON_UNSPECIFIED;
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

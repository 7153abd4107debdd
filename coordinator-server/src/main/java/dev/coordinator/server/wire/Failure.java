// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.wire;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.coordinator.v1.ErrorReason;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoUtils;

/**
 * A failed call as clients see it: a status with a google.rpc.ErrorInfo and perhaps a RetryInfo.
 */
public final class Failure {

  private static final String DOMAIN = "coordinator.dev";
  private static final String REASON_PREFIX = "ERROR_REASON_";
  private static final Metadata.Key<com.google.rpc.Status> DETAILS =
      Metadata.Key.of(
          "grpc-status-details-bin",
          ProtoUtils.metadataMarshaller(com.google.rpc.Status.getDefaultInstance()));

  private final Status.Code code;
  private final String message;
  private final ErrorInfo.Builder info = ErrorInfo.newBuilder().setDomain(DOMAIN);
  private RetryInfo retry;

  private Failure(Status.Code code, ErrorReason reason, String message) {
    this.code = code;
    this.message = message;
    info.setReason(reason.name().substring(REASON_PREFIX.length()));
  }

  public static Failure of(Status.Code code, ErrorReason reason, String message) {
    return new Failure(code, reason, message);
  }

  /** Adds metadata to the ErrorInfo. */
  public Failure with(String key, Object value) {
    info.putMetadata(key, value.toString());
    return this;
  }

  public Failure retryAfterMs(long delayMs) {
    retry =
        RetryInfo.newBuilder()
            .setRetryDelay(
                Duration.newBuilder()
                    .setSeconds(delayMs / 1_000)
                    .setNanos((int) (delayMs % 1_000) * 1_000_000))
            .build();
    return this;
  }

  public Status status() {
    return code.toStatus().withDescription(message);
  }

  /** The trailers that carry the details. */
  public Metadata trailers() {
    var details =
        com.google.rpc.Status.newBuilder()
            .setCode(code.value())
            .setMessage(message)
            .addDetails(Any.pack(info.build()));
    if (retry != null) {
      details.addDetails(Any.pack(retry));
    }
    var trailers = new Metadata();
    trailers.put(DETAILS, details.build());
    return trailers;
  }

  public StatusRuntimeException toException() {
    return new StatusRuntimeException(status(), trailers());
  }

  /**
   * Whether trailers carry the details of a failure, so that a member of the cluster decided it.
   */
  public static boolean isDescribedIn(Metadata trailers) {
    return trailers.containsKey(DETAILS);
  }

  /** Copies the details of a failure, if there are any. */
  public static void copyDetails(Metadata from, Metadata to) {
    com.google.rpc.Status details = from.get(DETAILS);
    if (details != null) {
      to.put(DETAILS, details);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Status;
import dev.coordinator.v1.ErrorReason;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;

/** Errors as the contract describes them. */
final class FakeError {

  private FakeError() {}

  static StatusRuntimeException of(ErrorReason reason, String key, String value) {
    ErrorInfo.Builder info =
        ErrorInfo.newBuilder()
            .setDomain("coordinator.dev")
            .setReason(reason.name().substring("ERROR_REASON_".length()));
    if (!key.isEmpty()) {
      info.putMetadata(key, value);
    }
    return StatusProto.toStatusRuntimeException(
        Status.newBuilder()
            .setCode(code(reason).value())
            .setMessage(info.getReason() + " " + value)
            .addDetails(Any.pack(info.build()))
            .build());
  }

  static StatusRuntimeException of(ErrorReason reason) {
    return of(reason, "", "");
  }

  private static Code code(ErrorReason reason) {
    return switch (reason) {
      case ERROR_REASON_NO_LEADER, ERROR_REASON_NOT_LEADER, ERROR_REASON_OUTCOME_UNKNOWN ->
          Code.UNAVAILABLE;
      case ERROR_REASON_LEASE_NOT_FOUND -> Code.NOT_FOUND;
      case ERROR_REASON_NOT_LOCK_OWNER, ERROR_REASON_WRONG_CLUSTER -> Code.FAILED_PRECONDITION;
      case ERROR_REASON_LEASE_EXPIRED, ERROR_REASON_WAIT_CANCELLED -> Code.ABORTED;
      case ERROR_REASON_INVALID_FIELD, ERROR_REASON_REQUEST_MISMATCH -> Code.INVALID_ARGUMENT;
      case ERROR_REASON_LIMIT_REACHED, ERROR_REASON_OVERLOADED -> Code.RESOURCE_EXHAUSTED;
      default -> Code.OUT_OF_RANGE;
    };
  }
}

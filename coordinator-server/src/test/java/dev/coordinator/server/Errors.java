// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.function.Executable;

/** Looks into the failures of calls. */
final class Errors {

  private Errors() {}

  static StatusRuntimeException assertFails(
      Status.Code code, String reason, Map<String, String> metadata, Executable call) {
    StatusRuntimeException failure = assertThrows(StatusRuntimeException.class, call);
    assertFails(code, reason, metadata, failure);
    return failure;
  }

  static void assertFails(
      Status.Code code, String reason, Map<String, String> metadata, Throwable failure) {
    assertEquals(code, Status.fromThrowable(failure).getCode(), failure::toString);
    ErrorInfo info = info(failure);
    assertEquals("coordinator.dev", info.getDomain());
    assertEquals(reason, info.getReason());
    assertEquals(metadata, info.getMetadataMap());
  }

  static ErrorInfo info(Throwable failure) {
    return detail(failure, ErrorInfo.class)
        .orElseThrow(() -> new AssertionError("no ErrorInfo", failure));
  }

  static Optional<RetryInfo> retryInfo(Throwable failure) {
    return detail(failure, RetryInfo.class);
  }

  private static <M extends Message> Optional<M> detail(Throwable failure, Class<M> type) {
    com.google.rpc.Status status = StatusProto.fromThrowable(failure);
    if (status == null) {
      return Optional.empty();
    }
    try {
      for (Any detail : status.getDetailsList()) {
        if (detail.is(type)) {
          return Optional.of(detail.unpack(type));
        }
      }
      return Optional.empty();
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }
}

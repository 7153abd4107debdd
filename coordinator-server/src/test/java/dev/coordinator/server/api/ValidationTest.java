// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.Duration;
import com.google.rpc.ErrorInfo;
import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.RequestId;
import dev.coordinator.server.raft.NodeId;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ValidationTest {

  private static final ApiSettings SETTINGS =
      new ApiSettings("test", new NodeId(1), 100, 86_400_000, 3_600_000, 10, 4, "test");

  @ParameterizedTest
  @ValueSource(
      strings = {"a", "jobs/nightly", "a.b", "...", "a/..b", "ключ", "a b", "é", "\uD83D\uDD12"})
  void goodLockNames(String name) {
    assertEquals(name, Validation.lockName("name", name));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | must not be empty",
        "/a | must not begin or end with '/'",
        "a/ | must not begin or end with '/'",
        "/ | must not begin or end with '/'",
        "a//b | must not have an empty, '.' or '..' part between slashes",
        ". | must not have an empty, '.' or '..' part between slashes",
        "a/../b | must not have an empty, '.' or '..' part between slashes",
        "a/. | must not have an empty, '.' or '..' part between slashes"
      })
  void badLockNames(String name, String rule) {
    refused("name", rule, () -> Validation.lockName("name", name));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, '\n', 0x1f, 0x7f, 0x85})
  void lockNamesHaveNoControlCharacters(int character) {
    refused(
        "name",
        "must not contain control characters",
        () -> Validation.lockName("name", "a" + Character.toString(character) + "b"));
  }

  @Test
  void textsAreMeasuredInBytesOfUtf8() {
    Validation.lockName("name", "a".repeat(512));
    Validation.lockName("name", "é".repeat(256));
    Validation.lockName("name", "\uD83D\uDD12".repeat(128));
    String rule = "must be at most 512 bytes of UTF-8";
    refused("name", rule, () -> Validation.lockName("name", "a".repeat(513)));
    refused("name", rule, () -> Validation.lockName("name", "é".repeat(256) + "a"));
    refused("name", rule, () -> Validation.lockName("name", "\uD83D\uDD12".repeat(129)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"localhost:1", "a-1.b.:7421", "10.0.0.1:65535", "[::1]:7421"})
  void goodAddresses(String address) {
    assertEquals(address, Validation.address("peer_address", address));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "my_host:7421",
        "1.2.3:7421",
        "-a:1",
        "[zz]:1",
        "a%zz:1",
        "é:1",
        "u@h:1",
        "a?b:1",
        "a#b:1"
      })
  void addressesHaveAHostThatMembersCanConnectTo(String address) {
    refused(
        "peer_address",
        "must have an IP address or a host name of letters, digits, '-' and '.'; gRPC does not"
            + " resolve names with '_'",
        () -> Validation.address("peer_address", address));
  }

  @ParameterizedTest
  @CsvSource({"0, 100000000, 100", "1, 0, 1000", "86400, 0, 86400000", "0, 250000000, 250"})
  void goodTtls(long seconds, int nanos, long ms) {
    assertEquals(ms, Validation.ttlMs("ttl", true, duration(seconds, nanos), SETTINGS));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "-1, 0",
    "0, 99000000",
    "86400, 1000000",
    "86401, 0",
    "315576000000, 0",
    "-315576000000, 0"
  })
  void ttlsOutsideTheBoundsTellThem(long seconds, int nanos) {
    StatusRuntimeException refusal =
        assertThrows(
            StatusRuntimeException.class,
            () -> Validation.ttlMs("ttl", true, duration(seconds, nanos), SETTINGS));
    assertEquals(Status.Code.OUT_OF_RANGE, refusal.getStatus().getCode());
    ErrorInfo info = info(refusal);
    assertEquals("TTL_OUT_OF_RANGE", info.getReason());
    assertEquals("ttl", info.getMetadataOrThrow("field"));
    assertEquals("100", info.getMetadataOrThrow("min_ms"));
    assertEquals("86400000", info.getMetadataOrThrow("max_ms"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1 | 1000000000 | nanos must be from -999,999,999 to 999,999,999",
        "1 | -2147483648 | nanos must be from -999,999,999 to 999,999,999",
        "315576000001 | 0 | seconds must be from -315,576,000,000 to 315,576,000,000",
        "9223372036854775807 | 0 | seconds must be from -315,576,000,000 to 315,576,000,000",
        "1 | -1 | seconds and nanos must have the same sign",
        "1 | 1 | must be a whole number of milliseconds"
      })
  void malformedTtls(long seconds, int nanos, String rule) {
    refused("ttl", rule, () -> Validation.ttlMs("ttl", true, duration(seconds, nanos), SETTINGS));
  }

  @Test
  void aTtlMustBeSet() {
    refused(
        "ttl",
        "must be set",
        () -> Validation.ttlMs("ttl", false, Duration.getDefaultInstance(), SETTINGS));
  }

  @ParameterizedTest
  @CsvSource({"0, 0, 0", "0, 1, 1", "0, 1000000, 1", "2, 1, 2001"})
  void waitsAreRoundedUp(long seconds, int nanos, long ms) {
    assertEquals(ms, Validation.waitMs("wait_timeout", duration(seconds, nanos)));
  }

  @Test
  void waitsAreNotNegative() {
    String rule = "must not be negative";
    refused("wait_timeout", rule, () -> Validation.waitMs("wait_timeout", duration(-1, 0)));
    refused("wait_timeout", rule, () -> Validation.waitMs("wait_timeout", duration(0, -1)));
  }

  @Test
  void waitsEndWithinACentury() {
    assertEquals(
        Command.MAX_DURATION_MS,
        Validation.waitMs("wait_timeout", duration(Command.MAX_DURATION_MS / 1_000, 0)));
    refused(
        "wait_timeout",
        "must be at most 100 years",
        () -> Validation.waitMs("wait_timeout", duration(Command.MAX_DURATION_MS / 1_000, 1)));
  }

  @Test
  void requestIds() {
    assertEquals(RequestId.NONE, Validation.requestId(false, requestId(0, 0)));
    assertEquals(new RequestId(5, 5), Validation.requestId(true, requestId(5, 5)));
    refused(
        "request_id.number",
        "must be from 1 to 2^63-1",
        () -> Validation.requestId(true, requestId(0, 0)));
    refused(
        "request_id.number",
        "must be from 1 to 2^63-1",
        () -> Validation.requestId(true, requestId(-1, 0)));
    String rule = "must be at most request_id.number";
    refused(
        "request_id.acknowledged_below", rule, () -> Validation.requestId(true, requestId(5, 6)));
    refused(
        "request_id.acknowledged_below", rule, () -> Validation.requestId(true, requestId(5, -1)));
  }

  @Test
  void pageSizes() {
    assertEquals(100, Validation.pageSize(0));
    assertEquals(1_000, Validation.pageSize(1_000));
    String rule = "must be at most 1000; 0 means 100";
    refused("page_size", rule, () -> Validation.pageSize(1_001));
    refused("page_size", rule, () -> Validation.pageSize(-1));
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, Long.MIN_VALUE})
  void noLeaseHasSuchAnId(long leaseId) {
    StatusRuntimeException refusal =
        assertThrows(StatusRuntimeException.class, () -> Validation.leaseId(leaseId));
    assertEquals(Status.Code.NOT_FOUND, refusal.getStatus().getCode());
    assertEquals("LEASE_NOT_FOUND", info(refusal).getReason());
  }

  private static void refused(String field, String rule, Executable validation) {
    var refusal = assertThrows(StatusRuntimeException.class, validation);
    assertEquals(Status.Code.INVALID_ARGUMENT, refusal.getStatus().getCode());
    assertEquals(field + ": " + rule, refusal.getStatus().getDescription());
    ErrorInfo info = info(refusal);
    assertEquals("coordinator.dev", info.getDomain());
    assertEquals("INVALID_FIELD", info.getReason());
    assertEquals(field, info.getMetadataOrThrow("field"));
    assertEquals(rule, info.getMetadataOrThrow("rule"));
  }

  private static ErrorInfo info(StatusRuntimeException refusal) {
    try {
      return StatusProto.fromThrowable(refusal).getDetails(0).unpack(ErrorInfo.class);
    } catch (com.google.protobuf.InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  private static Duration duration(long seconds, int nanos) {
    return Duration.newBuilder().setSeconds(seconds).setNanos(nanos).build();
  }

  private static dev.coordinator.v1.RequestId requestId(long number, long acknowledgedBelow) {
    return dev.coordinator.v1.RequestId.newBuilder()
        .setNumber(number)
        .setAcknowledgedBelow(acknowledgedBelow)
        .build();
  }
}

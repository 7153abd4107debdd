// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import com.google.protobuf.Duration;
import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.RequestId;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.wire.Failure;
import dev.coordinator.v1.ErrorReason;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;

/**
 * Checks the fields of requests. Every method throws a {@link StatusRuntimeException} that names
 * the field and the rule that it breaks.
 */
final class Validation {

  static final int MAX_LOCK_NAME_BYTES = 512;
  static final int MAX_LEASE_OWNER_BYTES = 256;
  static final int MAX_NONCE_BYTES = 64;
  static final int MAX_LOCK_OWNER_BYTES = 128;
  static final int MAX_METADATA_BYTES = 1_024;
  static final int MAX_KEEP_ALIVE_LEASES = 1_000;
  static final int MAX_PAGE_SIZE = 1_000;
  private static final int DEFAULT_PAGE_SIZE = 100;

  static final int MAX_ADDRESS_BYTES = 300;

  /** What google.protobuf.Duration allows: some ten thousand years. */
  private static final long MAX_DURATION_SECONDS = 315_576_000_000L;

  private static final int NANOS_PER_SECOND = 1_000_000_000;
  private static final int NANOS_PER_MS = 1_000_000;

  private Validation() {}

  static StatusRuntimeException invalid(String field, String rule) {
    return Failure.of(
            Code.INVALID_ARGUMENT, ErrorReason.ERROR_REASON_INVALID_FIELD, field + ": " + rule)
        .with("field", field)
        .with("rule", rule)
        .toException();
  }

  static void require(boolean condition, String field, String rule) {
    if (!condition) {
      throw invalid(field, rule);
    }
  }

  /** The rules of lock names in lock.proto. */
  static String lockName(String field, String name) {
    require(!name.isEmpty(), field, "must not be empty");
    atMostBytes(field, name, MAX_LOCK_NAME_BYTES);
    require(
        name.codePoints().noneMatch(Character::isISOControl),
        field,
        "must not contain control characters");
    require(!name.startsWith("/") && !name.endsWith("/"), field, "must not begin or end with '/'");
    for (String part : name.split("/", -1)) {
      require(
          !part.isEmpty() && !part.equals(".") && !part.equals(".."),
          field,
          "must not have an empty, '.' or '..' part between slashes");
    }
    return name;
  }

  static String atMostBytes(String field, String text, int maxBytes) {
    // A char takes one to three bytes of UTF-8; most texts need no encoding to be judged.
    boolean fits =
        text.length() * 3L <= maxBytes
            || (text.length() <= maxBytes
                && text.getBytes(StandardCharsets.UTF_8).length <= maxBytes);
    require(fits, field, "must be at most " + maxBytes + " bytes of UTF-8");
    return text;
  }

  /** Ids are given from 1 on, by counting: no lease has an id outside of the positive numbers. */
  static long leaseId(long leaseId) {
    if (leaseId < 1) {
      throw Statuses.leaseNotFound(leaseId).toException();
    }
    return leaseId;
  }

  /** A TTL within the bounds, in milliseconds. */
  static long ttlMs(String field, boolean present, Duration ttl, ApiSettings bounds) {
    require(present, field, "must be set");
    wellFormed(field, ttl);
    long ms = floorMs(ttl);
    if (ms < bounds.minTtlMs() || ms > bounds.maxTtlMs()) {
      throw Failure.of(
              Code.OUT_OF_RANGE,
              ErrorReason.ERROR_REASON_TTL_OUT_OF_RANGE,
              field + ": must be from " + bounds.minTtlMs() + " to " + bounds.maxTtlMs() + " ms")
          .with("field", field)
          .with("min_ms", bounds.minTtlMs())
          .with("max_ms", bounds.maxTtlMs())
          .toException();
    }
    require(ms == ceilingMs(ttl), field, "must be a whole number of milliseconds");
    return ms;
  }

  /** A duration of 0 to a century, in milliseconds, rounded up. */
  static long waitMs(String field, Duration wait) {
    wellFormed(field, wait);
    require(wait.getSeconds() >= 0 && wait.getNanos() >= 0, field, "must not be negative");
    long ms = ceilingMs(wait);
    require(ms <= Command.MAX_DURATION_MS, field, "must be at most 100 years");
    return ms;
  }

  private static void wellFormed(String field, Duration duration) {
    long seconds = duration.getSeconds();
    int nanos = duration.getNanos();
    require(
        nanos > -NANOS_PER_SECOND && nanos < NANOS_PER_SECOND,
        field,
        "nanos must be from -999,999,999 to 999,999,999");
    require(
        seconds >= -MAX_DURATION_SECONDS && seconds <= MAX_DURATION_SECONDS,
        field,
        "seconds must be from -315,576,000,000 to 315,576,000,000");
    require(
        seconds == 0 || nanos == 0 || (seconds < 0) == (nanos < 0),
        field,
        "seconds and nanos must have the same sign");
  }

  private static long floorMs(Duration duration) {
    return duration.getSeconds() * 1_000 + Math.floorDiv(duration.getNanos(), NANOS_PER_MS);
  }

  private static long ceilingMs(Duration duration) {
    return duration.getSeconds() * 1_000 - Math.floorDiv(-duration.getNanos(), NANOS_PER_MS);
  }

  static RequestId requestId(boolean present, dev.coordinator.v1.RequestId id) {
    if (!present) {
      return RequestId.NONE;
    }
    require(id.getNumber() >= 1, "request_id.number", "must be from 1 to 2^63-1");
    require(
        id.getAcknowledgedBelow() >= 0 && id.getAcknowledgedBelow() <= id.getNumber(),
        "request_id.acknowledged_below",
        "must be at most request_id.number");
    return new RequestId(id.getNumber(), id.getAcknowledgedBelow());
  }

  static NodeId memberId(String field, long id) {
    require(id != 0, field, "must not be 0");
    return new NodeId(id);
  }

  /** An address as {@code host:port}; an IPv6 address stands in brackets. */
  static String address(String field, String address) {
    atMostBytes(field, address, MAX_ADDRESS_BYTES);
    int colon = address.lastIndexOf(':');
    require(colon > 0, field, "must be host:port");
    String host = address.substring(0, colon);
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    require(bracketed || !host.contains(":"), field, "must have an IPv6 address in brackets");
    require(
        host.chars().noneMatch(c -> c <= ' ' || c == '/' || c == ','),
        field,
        "must not have spaces, slashes or commas in the host");
    require(
        isUriHost(host),
        field,
        "must have an IP address or a host name of letters, digits, '-' and '.'; gRPC does not"
            + " resolve names with '_'");
    String port = address.substring(colon + 1);
    boolean isPort =
        !port.isEmpty()
            && port.length() <= 5
            && port.chars().allMatch(c -> c >= '0' && c <= '9')
            && Integer.parseInt(port) >= 1
            && Integer.parseInt(port) <= 65_535;
    require(isPort, field, "must have a port from 1 to 65535");
    return address;
  }

  /** Members and clients connect by URI, which takes fewer hosts than name services know. */
  private static boolean isUriHost(String host) {
    try {
      return host.equals(new URI("//" + host).getHost());
    } catch (URISyntaxException e) {
      return false;
    }
  }

  static int pageSize(int pageSize) {
    require(
        pageSize >= 0 && pageSize <= MAX_PAGE_SIZE,
        "page_size",
        "must be at most " + MAX_PAGE_SIZE + "; 0 means " + DEFAULT_PAGE_SIZE);
    return pageSize == 0 ? DEFAULT_PAGE_SIZE : pageSize;
  }
}

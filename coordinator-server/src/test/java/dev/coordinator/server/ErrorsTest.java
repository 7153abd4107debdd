// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import static dev.coordinator.server.Errors.assertFails;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import dev.coordinator.v1.AcquireLockRequest;
import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.AcquireLockResponse.Outcome;
import dev.coordinator.v1.GetLeaseRequest;
import dev.coordinator.v1.GetLockRequest;
import dev.coordinator.v1.GrantLeaseRequest;
import dev.coordinator.v1.GrantLeaseResponse;
import dev.coordinator.v1.KeepAliveRequest;
import dev.coordinator.v1.KeepAliveResponse;
import dev.coordinator.v1.LeaseServiceGrpc;
import dev.coordinator.v1.ListLocksRequest;
import dev.coordinator.v1.LockServiceGrpc;
import dev.coordinator.v1.ReleaseLockRequest;
import dev.coordinator.v1.RenewLeaseRequest;
import dev.coordinator.v1.RequestId;
import dev.coordinator.v1.RevokeLeaseRequest;
import dev.coordinator.v1.WatchRequest;
import dev.coordinator.v1.WatchResponse;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The errors that a cluster with a leader gives, as errors.proto describes them. */
class ErrorsTest {

  private static final long NO_SUCH_LEASE = 999_999_999;

  @TempDir static Path directory;
  private static InProcessCluster cluster;
  private static final AtomicInteger names = new AtomicInteger();

  @BeforeAll
  static void start() throws Exception {
    cluster =
        InProcessCluster.start(
            directory,
            1,
            Map.of(
                "watch.historyEvents", "4",
                "limits.maxLocksPerLease", "2",
                "limits.maxWatches", "3"));
    cluster.awaitLeader();
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  private static LockServiceGrpc.LockServiceBlockingStub locks() {
    return cluster.locks(1);
  }

  private static long grant() {
    return cluster.leases(1).grantLease(grantRequest()).getLeaseId();
  }

  private static GrantLeaseRequest grantRequest() {
    return GrantLeaseRequest.newBuilder().setTtl(Duration.newBuilder().setSeconds(60)).build();
  }

  private static String freshName() {
    return "errors/" + names.incrementAndGet();
  }

  private static AcquireLockRequest.Builder acquire(String name, long lease) {
    return AcquireLockRequest.newBuilder().setName(name).setLeaseId(lease);
  }

  private static RequestId number(long number, long acknowledgedBelow) {
    return RequestId.newBuilder().setNumber(number).setAcknowledgedBelow(acknowledgedBelow).build();
  }

  @Test
  void leaseNotFound() {
    var leases = cluster.leases(1);
    Map<String, String> details = Map.of("lease_id", Long.toString(NO_SUCH_LEASE));
    assertFails(
        Code.NOT_FOUND,
        "LEASE_NOT_FOUND",
        details,
        () -> leases.renewLease(RenewLeaseRequest.newBuilder().setLeaseId(NO_SUCH_LEASE).build()));
    assertFails(
        Code.NOT_FOUND,
        "LEASE_NOT_FOUND",
        details,
        () ->
            leases.revokeLease(RevokeLeaseRequest.newBuilder().setLeaseId(NO_SUCH_LEASE).build()));
    assertFails(
        Code.NOT_FOUND,
        "LEASE_NOT_FOUND",
        details,
        () -> leases.getLease(GetLeaseRequest.newBuilder().setLeaseId(NO_SUCH_LEASE).build()));
    assertFails(
        Code.NOT_FOUND,
        "LEASE_NOT_FOUND",
        details,
        () -> locks().acquireLock(acquire(freshName(), NO_SUCH_LEASE).build()));
    for (long never : new long[] {0, -1}) {
      assertFails(
          Code.NOT_FOUND,
          "LEASE_NOT_FOUND",
          Map.of("lease_id", Long.toUnsignedString(never)),
          () -> leases.renewLease(RenewLeaseRequest.newBuilder().setLeaseId(never).build()));
    }
  }

  @Test
  void notLockOwner() {
    String name = freshName();
    long lease = grant();
    long token = locks().acquireLock(acquire(name, lease).build()).getToken();
    for (long wrong : new long[] {0, -1, token - 1, token + 1}) {
      assertFails(
          Code.FAILED_PRECONDITION,
          "NOT_LOCK_OWNER",
          Map.of("name", name, "token", Long.toString(token)),
          () ->
              locks()
                  .releaseLock(
                      ReleaseLockRequest.newBuilder()
                          .setName(name)
                          .setLeaseId(lease)
                          .setToken(wrong)
                          .build()));
    }
    String free = freshName();
    assertFails(
        Code.FAILED_PRECONDITION,
        "NOT_LOCK_OWNER",
        Map.of("name", free),
        () ->
            locks()
                .releaseLock(
                    ReleaseLockRequest.newBuilder()
                        .setName(free)
                        .setLeaseId(lease)
                        .setToken(1)
                        .build()));
    assertEquals(
        token,
        locks()
            .getLock(GetLockRequest.newBuilder().setName(name).build())
            .getLock()
            .getHolder()
            .getToken());
  }

  @Test
  void leaseExpiredWhileWaiting() throws Exception {
    String name = freshName();
    locks().acquireLock(acquire(name, grant()).build());
    long waiter = grant();
    var waiting = acquireAsync(acquire(name, waiter).build());
    awaitWaiters(name, 1);
    cluster.leases(1).revokeLease(RevokeLeaseRequest.newBuilder().setLeaseId(waiter).build());
    assertFails(
        Code.ABORTED,
        "LEASE_EXPIRED",
        Map.of("lease_id", Long.toString(waiter)),
        waiting.awaitFailure());
  }

  @Test
  void waitCancelledByItsRepetition() throws Exception {
    String name = freshName();
    long holder = grant();
    long token = locks().acquireLock(acquire(name, holder).build()).getToken();
    AcquireLockRequest request = acquire(name, grant()).setRequestId(number(1, 1)).build();
    var first = acquireAsync(request);
    awaitWaiters(name, 1);
    var repeated = acquireAsync(request);
    assertFails(Code.ABORTED, "WAIT_CANCELLED", Map.of("name", name), first.awaitFailure());
    locks()
        .releaseLock(
            ReleaseLockRequest.newBuilder()
                .setName(name)
                .setLeaseId(holder)
                .setToken(token)
                .build());
    assertEquals(Outcome.OUTCOME_ACQUIRED, repeated.next().getOutcome());
  }

  @Test
  void aCancelledCallLeavesTheQueue() throws Exception {
    String name = freshName();
    locks().acquireLock(acquire(name, grant()).build());
    try (var context = io.grpc.Context.current().withCancellation()) {
      context.run(() -> acquireAsync(acquire(name, grant()).build()));
      awaitWaiters(name, 1);
    }
    awaitWaiters(name, 0);
  }

  @Test
  void aRepeatableWaitKeepsItsPlaceWhenItsCallBreaksOff() throws Exception {
    String name = freshName();
    long holder = grant();
    long token = locks().acquireLock(acquire(name, holder).build()).getToken();
    AcquireLockRequest numbered = acquire(name, grant()).setRequestId(number(1, 1)).build();
    AcquireLockRequest named =
        AcquireLockRequest.newBuilder()
            .setName(name)
            .setTtl(Duration.newBuilder().setSeconds(60))
            .setNonce(name)
            .build();
    try (var context = io.grpc.Context.current().withCancellation()) {
      context.run(() -> acquireAsync(numbered));
      awaitWaiters(name, 1);
      context.run(() -> acquireAsync(named));
      awaitWaiters(name, 2);
    }
    // Comes on the same connection as the cancellations, and thus after them.
    var last = acquireAsync(acquire(name, grant()).build());
    awaitWaiters(name, 3);

    var first = acquireAsync(numbered);
    var second = acquireAsync(named);
    release(name, holder, token);
    AcquireLockResponse held = first.next();
    assertEquals(Outcome.OUTCOME_ACQUIRED, held.getOutcome());
    release(name, held.getLeaseId(), held.getToken());
    assertTrue(second.next().getToken() > held.getToken());
    last.cancel();
  }

  private static void release(String name, long lease, long token) {
    locks()
        .releaseLock(
            ReleaseLockRequest.newBuilder()
                .setName(name)
                .setLeaseId(lease)
                .setToken(token)
                .build());
  }

  @Test
  void aWaitWithoutTimeoutEndsJustBeforeTheDeadline() {
    String name = freshName();
    locks().acquireLock(acquire(name, grant()).build());
    AcquireLockResponse response =
        LockServiceGrpc.newBlockingStub(cluster.channel(1))
            .withDeadlineAfter(2, TimeUnit.SECONDS)
            .acquireLock(acquire(name, grant()).build());
    assertEquals(Outcome.OUTCOME_TIMED_OUT, response.getOutcome());
    assertTrue(response.hasHolder());
  }

  @Test
  void ttlOutOfRange() {
    for (String ttl : List.of("0", "99", "86400001")) {
      long ms = Long.parseLong(ttl);
      Duration duration =
          Duration.newBuilder()
              .setSeconds(ms / 1_000)
              .setNanos((int) (ms % 1_000) * 1_000_000)
              .build();
      Map<String, String> details = Map.of("field", "ttl", "min_ms", "100", "max_ms", "86400000");
      assertFails(
          Code.OUT_OF_RANGE,
          "TTL_OUT_OF_RANGE",
          details,
          () ->
              cluster
                  .leases(1)
                  .grantLease(GrantLeaseRequest.newBuilder().setTtl(duration).build()));
      assertFails(
          Code.OUT_OF_RANGE,
          "TTL_OUT_OF_RANGE",
          details,
          () ->
              locks()
                  .acquireLock(
                      AcquireLockRequest.newBuilder()
                          .setName(freshName())
                          .setTtl(duration)
                          .build()));
    }
  }

  @Test
  void compacted() throws Exception {
    String name = freshName();
    long lease = grant();
    for (int i = 0; i < 4; i++) {
      long token = locks().acquireLock(acquire(name, lease).build()).getToken();
      locks()
          .releaseLock(
              ReleaseLockRequest.newBuilder()
                  .setName(name)
                  .setLeaseId(lease)
                  .setToken(token)
                  .build());
    }
    var watch = new Received<WatchResponse>();
    cluster
        .watches(1)
        .watch(WatchRequest.newBuilder().setName(name).setStartRevision(1).build(), watch);
    Throwable failure = watch.awaitFailure();
    String oldest = Errors.info(failure).getMetadataOrThrow("oldest_revision");
    assertFails(Code.OUT_OF_RANGE, "COMPACTED", Map.of("oldest_revision", oldest), failure);

    var resumed = new Received<WatchResponse>();
    cluster
        .watches(1)
        .watch(
            WatchRequest.newBuilder()
                .setName(name)
                .setStartRevision(Long.parseLong(oldest))
                .build(),
            resumed);
    assertTrue(resumed.next().getEventsCount() > 0);
    resumed.cancel();
  }

  @Test
  void invalidFields() {
    String name = freshName();
    invalid("name", () -> locks().acquireLock(acquire("a//b", grant()).build()));
    invalid("name", () -> locks().getLock(GetLockRequest.getDefaultInstance()));
    invalid(
        "lease", () -> locks().acquireLock(AcquireLockRequest.newBuilder().setName(name).build()));
    invalid("owner", () -> locks().acquireLock(acquire(name, 1).setOwner("o".repeat(129)).build()));
    invalid(
        "metadata",
        () -> locks().acquireLock(acquire(name, 1).setMetadata("m".repeat(1_025)).build()));
    invalid(
        "wait_timeout",
        () ->
            locks()
                .acquireLock(
                    acquire(name, 1).setWaitTimeout(Duration.newBuilder().setSeconds(-1)).build()));
    invalid("nonce", () -> locks().acquireLock(acquire(name, 1).setNonce("n").build()));
    invalid(
        "request_id",
        () ->
            locks()
                .acquireLock(
                    AcquireLockRequest.newBuilder()
                        .setName(name)
                        .setTtl(Duration.newBuilder().setSeconds(1))
                        .setRequestId(number(1, 1))
                        .build()));
    invalid("ttl", () -> cluster.leases(1).grantLease(GrantLeaseRequest.getDefaultInstance()));
    invalid(
        "nonce",
        () ->
            cluster
                .leases(1)
                .grantLease(grantRequest().toBuilder().setNonce("n".repeat(65)).build()));
    invalid(
        "page_size",
        () -> locks().listLocks(ListLocksRequest.newBuilder().setPageSize(1_001).build()));
    invalid(
        "prefix",
        () -> locks().listLocks(ListLocksRequest.newBuilder().setPrefix("p".repeat(513)).build()));
  }

  private static void invalid(String field, org.junit.jupiter.api.function.Executable call) {
    StatusRuntimeException refusal =
        org.junit.jupiter.api.Assertions.assertThrows(StatusRuntimeException.class, call);
    assertEquals("INVALID_FIELD", Errors.info(refusal).getReason());
    assertEquals(field, Errors.info(refusal).getMetadataOrThrow("field"));
    assertEquals(Code.INVALID_ARGUMENT, refusal.getStatus().getCode());
  }

  @Test
  void invalidFieldsOfStreams() throws Exception {
    assertInvalid("target", WatchRequest.getDefaultInstance());
    assertInvalid("name", WatchRequest.newBuilder().setName("").build());
    assertInvalid("kinds", WatchRequest.newBuilder().setPrefix("").addKindsValue(99).build());
    assertInvalid(
        "start_revision",
        WatchRequest.newBuilder().setPrefix("").setStartRevision(1).setInitialState(true).build());

    for (KeepAliveRequest request :
        List.of(
            KeepAliveRequest.getDefaultInstance(),
            KeepAliveRequest.newBuilder().addLeaseIds(0).build(),
            KeepAliveRequest.newBuilder().addLeaseIds(-1).build(),
            KeepAliveRequest.newBuilder().addAllLeaseIds(Collections.nCopies(1_001, 1L)).build())) {
      var keepAlive = new Received<KeepAliveResponse>();
      LeaseServiceGrpc.newStub(cluster.channel(1)).keepAlive(keepAlive).onNext(request);
      assertEquals("lease_ids", Errors.info(keepAlive.awaitFailure()).getMetadataOrThrow("field"));
    }
  }

  @Test
  void aDeadlineBeyondAllTimesIsNoDeadline() {
    AcquireLockResponse response =
        LockServiceGrpc.newBlockingStub(cluster.channel(1))
            .withDeadlineAfter(200 * 365, TimeUnit.DAYS)
            .acquireLock(acquire(freshName(), grant()).build());
    assertEquals(Outcome.OUTCOME_ACQUIRED, response.getOutcome());
  }

  private static void assertInvalid(String field, WatchRequest request) throws Exception {
    var watch = new Received<WatchResponse>();
    cluster.watches(1).watch(request, watch);
    Throwable failure = watch.awaitFailure();
    assertEquals("INVALID_FIELD", Errors.info(failure).getReason());
    assertEquals(field, Errors.info(failure).getMetadataOrThrow("field"));
  }

  @Test
  void requestMismatchAndForgotten() {
    long lease = grant();
    locks().acquireLock(acquire(freshName(), lease).setRequestId(number(7, 1)).build());
    assertFails(
        Code.INVALID_ARGUMENT,
        "REQUEST_MISMATCH",
        Map.of("number", "7"),
        () -> locks().acquireLock(acquire(freshName(), lease).setRequestId(number(7, 1)).build()));
    String name = freshName();
    locks().acquireLock(acquire(name, lease).setRequestId(number(9, 9)).build());
    assertFails(
        Code.OUT_OF_RANGE,
        "REQUEST_FORGOTTEN",
        Map.of("number", "8", "acknowledged_below", "9"),
        () -> locks().acquireLock(acquire(name, lease).setRequestId(number(8, 8)).build()));
  }

  @Test
  void requestOvertaken() {
    long lease = grant();
    String name = freshName();
    locks().acquireLock(acquire(name, lease).setRequestId(number(7, 1)).build());
    assertFails(
        Code.ABORTED,
        "REQUEST_OVERTAKEN",
        Map.of("number", "6", "overtaken_by", "7"),
        () -> locks().acquireLock(acquire(name, lease).setRequestId(number(6, 1)).build()));
  }

  @Test
  void limitReached() throws Exception {
    long lease = grant();
    locks().acquireLock(acquire(freshName(), lease).build());
    locks().acquireLock(acquire(freshName(), lease).build());
    StatusRuntimeException refusal =
        assertFails(
            Code.RESOURCE_EXHAUSTED,
            "LIMIT_REACHED",
            Map.of("limit", "limits.maxLocksPerLease", "maximum", "2"),
            () -> locks().acquireLock(acquire(freshName(), lease).build()));
    assertTrue(Errors.retryInfo(refusal).isPresent());
  }

  @Test
  void tooManyWatches() throws Exception {
    List<Received<WatchResponse>> watches = new ArrayList<>();
    // Other tests of this class may not have closed theirs yet.
    InProcessCluster.await(
        "a refused watch",
        () -> {
          var watch = new Received<WatchResponse>();
          cluster.watches(1).watch(WatchRequest.newBuilder().setPrefix("").build(), watch);
          if (watch.firstOrEnd()) {
            watches.add(watch);
            return false;
          }
          assertFails(
              Code.RESOURCE_EXHAUSTED,
              "LIMIT_REACHED",
              Map.of("limit", "limits.maxWatches", "maximum", "3"),
              watch.awaitFailure());
          return true;
        });
    assertTrue(watches.size() <= 3);
    assertTrue(
        cluster
            .metrics(1)
            .contains("coordinator_limit_rejected_total{limit=\"limits.maxWatches\"}"));
    watches.forEach(Received::cancel);
    InProcessCluster.await(
        "a place for a watch",
        () -> {
          var watch = new Received<WatchResponse>();
          cluster.watches(1).watch(WatchRequest.newBuilder().setPrefix("").build(), watch);
          boolean taken = watch.firstOrEnd();
          watch.cancel();
          return taken;
        });
  }

  @Test
  void overloaded() throws Exception {
    try (var small =
        InProcessCluster.start(
            directory.resolve("small"), 1, Map.of("limits.maxQueuedInputs", "1"))) {
      small.awaitLeader();
      var refused = new AtomicBoolean();
      // The loop takes inputs quickly; sooner or later two meet in its mailbox.
      InProcessCluster.await(
          "a refusal for overload",
          () -> {
            List<Received<GrantLeaseResponse>> calls = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
              var call = new Received<GrantLeaseResponse>();
              calls.add(call);
              LeaseServiceGrpc.newStub(small.channel(1)).grantLease(grantRequest(), call);
            }
            for (Received<GrantLeaseResponse> call : calls) {
              Throwable failure = call.awaitEnd();
              if (failure != null) {
                assertFails(
                    Code.RESOURCE_EXHAUSTED,
                    "OVERLOADED",
                    Map.of("limit", "limits.maxQueuedInputs", "maximum", "1"),
                    failure);
                assertTrue(Errors.retryInfo(failure).isPresent());
                refused.set(true);
              }
            }
            return refused.get();
          });
    }
  }

  private static Received<AcquireLockResponse> acquireAsync(AcquireLockRequest request) {
    var call = new Received<AcquireLockResponse>();
    LockServiceGrpc.newStub(cluster.channel(1)).acquireLock(request, call);
    return call;
  }

  private static void awaitWaiters(String name, int count) {
    InProcessCluster.await(
        count + " waiters",
        () ->
            locks()
                    .getLock(GetLockRequest.newBuilder().setName(name).build())
                    .getLock()
                    .getWaiterCount()
                == count);
  }
}

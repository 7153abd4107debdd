// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.dashboards;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import dev.coordinator.client.CoordinatorClient;
import dev.coordinator.client.HeldLock;
import dev.coordinator.client.LockEvent;
import dev.coordinator.client.Session;
import dev.coordinator.server.InProcessCluster;
import dev.coordinator.v1.AcquireLockRequest;
import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.AcquireLockResponse.Outcome;
import dev.coordinator.v1.CheckSequencerRequest;
import dev.coordinator.v1.GetLockRequest;
import dev.coordinator.v1.GrantLeaseRequest;
import dev.coordinator.v1.ReleaseLockRequest;
import dev.coordinator.v1.RenewLeaseRequest;
import dev.coordinator.v1.RevokeLeaseRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Calls of every kind, so that every metric has something to tell. */
final class Traffic {

  private static final String NAME = "traffic/lock";

  private final InProcessCluster cluster;
  private final Set<Integer> running = new TreeSet<>(Set.of(1, 2, 3));

  Traffic(InProcessCluster cluster) {
    this.cluster = cluster;
  }

  void everyKind() throws Exception {
    for (int member : running) {
      leases(member);
      locks(member);
    }
    limits();
    expiry();
    sessionsAndWatches();
  }

  private long grant(int member, long ttlMs) {
    return cluster
        .leases(member)
        .grantLease(GrantLeaseRequest.newBuilder().setTtl(millis(ttlMs)).build())
        .getLeaseId();
  }

  private void leases(int member) {
    long lease = grant(member, 60_000);
    cluster.leases(member).renewLease(RenewLeaseRequest.newBuilder().setLeaseId(lease).build());
    revoke(member, lease);
    StatusRuntimeException ended =
        assertThrows(
            StatusRuntimeException.class,
            () ->
                cluster
                    .leases(member)
                    .renewLease(RenewLeaseRequest.newBuilder().setLeaseId(lease).build()));
    assertEquals(Status.Code.NOT_FOUND, ended.getStatus().getCode());
  }

  private void revoke(int member, long lease) {
    cluster.leases(member).revokeLease(RevokeLeaseRequest.newBuilder().setLeaseId(lease).build());
  }

  private void locks(int member) {
    AcquireLockResponse held =
        cluster
            .locks(member)
            .acquireLock(
                AcquireLockRequest.newBuilder().setName(NAME).setTtl(millis(60_000)).build());
    assertEquals(Outcome.OUTCOME_ACQUIRED, held.getOutcome());
    cluster.locks(member).getLock(GetLockRequest.newBuilder().setName(NAME).build());
    for (long token : List.of(held.getToken(), held.getToken() + 1)) {
      cluster
          .locks(member)
          .checkSequencer(CheckSequencerRequest.newBuilder().setName(NAME).setToken(token).build());
    }
    assertEquals(Outcome.OUTCOME_TIMED_OUT, acquire(member, 50).getOutcome());
    assertEquals(Outcome.OUTCOME_HELD_BY_OTHER, acquire(member, 0).getOutcome());
    cluster
        .locks(member)
        .releaseLock(
            ReleaseLockRequest.newBuilder()
                .setName(NAME)
                .setLeaseId(held.getLeaseId())
                .setToken(held.getToken())
                .build());
  }

  private AcquireLockResponse acquire(int member, long waitMs) {
    return cluster
        .locks(member)
        .acquireLock(
            AcquireLockRequest.newBuilder()
                .setName(NAME)
                .setTtl(millis(60_000))
                .setWaitTimeout(millis(waitMs))
                .build());
  }

  /** One waiter is allowed; the second one is refused. */
  private void limits() throws Exception {
    int member = cluster.awaitLeader();
    try (CoordinatorClient client = client();
        Session session = client.newSession(java.time.Duration.ofSeconds(60));
        HeldLock held = session.lock("traffic/limit").acquire()) {
      assertTrue(held.isHeld());
      CompletableFuture<HeldLock> waiter = session.lock("traffic/limit").acquireAsync();
      InProcessCluster.await(
          "a waiter", () -> client.locks().get("traffic/limit").orElseThrow().waiterCount() == 1);
      StatusRuntimeException refused =
          assertThrows(
              StatusRuntimeException.class,
              () ->
                  cluster
                      .locks(member)
                      .acquireLock(
                          AcquireLockRequest.newBuilder()
                              .setName("traffic/limit")
                              .setTtl(millis(60_000))
                              .build()));
      assertEquals(Status.Code.RESOURCE_EXHAUSTED, refused.getStatus().getCode());
      waiter.cancel(true);
    }
  }

  /** A lock is lost because nobody renews its lease. */
  private void expiry() {
    int member = cluster.awaitLeader();
    cluster
        .locks(member)
        .acquireLock(
            AcquireLockRequest.newBuilder().setName("traffic/expiry").setTtl(millis(100)).build());
    InProcessCluster.await(
        "the end of the lease",
        () ->
            !cluster
                .locks(member)
                .getLock(GetLockRequest.newBuilder().setName("traffic/expiry").build())
                .hasLock());
  }

  private void sessionsAndWatches() throws Exception {
    CompletableFuture<LockEvent> seen = new CompletableFuture<>();
    try (CoordinatorClient client = client()) {
      client.watchPrefix("traffic/", seen::complete);
      try (Session session = client.newSession(java.time.Duration.ofMillis(900))) {
        awaitRenewal(session);
        try (HeldLock held = session.lock("traffic/session").acquire()) {
          assertTrue(held.verify());
        }
      }
      seen.get(30, TimeUnit.SECONDS);
    }
  }

  /** What remains of a session's time only grows when a keep-alive is answered. */
  private static void awaitRenewal(Session session) {
    AtomicLong leastMs = new AtomicLong(Long.MAX_VALUE);
    InProcessCluster.await(
        "a keep-alive",
        () -> {
          long remainingMs = session.remaining().toMillis();
          boolean grown = remainingMs > leastMs.get();
          leastMs.accumulateAndGet(remainingMs, Math::min);
          return grown;
        });
  }

  private CoordinatorClient client() {
    return CoordinatorClient.builder()
        .endpoints(running.stream().map(cluster::clientAddress).toList())
        .build();
  }

  /** The leader goes. Returns the next one. */
  int loseLeader() {
    stop(cluster.awaitLeader());
    return cluster.awaitLeader();
  }

  /** A follower goes, and with it the majority. */
  void loseMajority() {
    stop(cluster.awaitFollower());
  }

  private void stop(int member) {
    cluster.stop(member);
    running.remove(member);
  }

  private static Duration millis(long millis) {
    return Duration.newBuilder()
        .setSeconds(millis / 1_000)
        .setNanos((int) (millis % 1_000) * 1_000_000)
        .build();
  }
}

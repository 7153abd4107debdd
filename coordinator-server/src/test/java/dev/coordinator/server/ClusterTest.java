// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import dev.coordinator.v1.AcquireLockRequest;
import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.AcquireLockResponse.Outcome;
import dev.coordinator.v1.GrantLeaseRequest;
import dev.coordinator.v1.KeepAliveRequest;
import dev.coordinator.v1.KeepAliveResponse;
import dev.coordinator.v1.LeaseServiceGrpc;
import dev.coordinator.v1.LockEvent;
import dev.coordinator.v1.LockServiceGrpc;
import dev.coordinator.v1.ReleaseLockRequest;
import dev.coordinator.v1.WatchRequest;
import dev.coordinator.v1.WatchResponse;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three members of one cluster, used over the network as clients use them. */
class ClusterTest {

  private static final Duration TEN_SECONDS = Duration.newBuilder().setSeconds(10).build();
  private static final Metadata.Key<String> LEADER =
      Metadata.Key.of("coordinator-leader", Metadata.ASCII_STRING_MARSHALLER);

  @TempDir Path directory;
  private InProcessCluster cluster;

  @BeforeEach
  void start() throws Exception {
    cluster = InProcessCluster.start(directory, 3, Map.of());
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  @Test
  void anyMemberTakesAndReleasesALockAndNamesTheLeader() {
    int leader = cluster.awaitLeader();
    long lastToken = 0;
    for (int member = 1; member <= 3; member++) {
      var trailers = new AtomicReference<Metadata>();
      var headers = new AtomicReference<Metadata>();
      LockServiceGrpc.LockServiceBlockingStub locks =
          cluster
              .locks(member)
              .withInterceptors(MetadataUtils.newCaptureMetadataInterceptor(headers, trailers));

      AcquireLockResponse acquired = locks.acquireLock(acquire("jobs/nightly"));

      assertEquals(Outcome.OUTCOME_ACQUIRED, acquired.getOutcome());
      assertEquals(leader, acquired.getHeader().getMemberId(), "only the leader decides");
      assertEquals(cluster.clientAddress(leader), headers.get().get(LEADER));
      assertTrue(acquired.getToken() > lastToken, "tokens rise");
      lastToken = acquired.getToken();
      locks.releaseLock(release("jobs/nightly", acquired));
    }
  }

  @Test
  void aLockCanBeTakenSoonAfterTheLeaderStopped() throws Exception {
    int leader = cluster.awaitLeader();
    AcquireLockResponse before = cluster.locks(leader).acquireLock(acquire("a"));

    cluster.stop(leader);

    int survivor = leader == 1 ? 2 : 1;
    AcquireLockResponse after =
        InProcessCluster.retry(() -> cluster.locks(survivor).acquireLock(acquire("b")));
    assertEquals(Outcome.OUTCOME_ACQUIRED, after.getOutcome());
    assertTrue(after.getToken() > before.getToken());

    AcquireLockResponse held =
        InProcessCluster.retry(
            () ->
                cluster
                    .locks(survivor)
                    .acquireLock(
                        acquire("a").toBuilder()
                            .setWaitTimeout(Duration.getDefaultInstance())
                            .build()));
    assertEquals(Outcome.OUTCOME_HELD_BY_OTHER, held.getOutcome());
    assertEquals(before.getToken(), held.getHolder().getToken());
  }

  @Test
  void keepAliveStreamsPassThroughAFollower() throws Exception {
    int follower = cluster.awaitFollower();
    long lease =
        cluster
            .leases(follower)
            .grantLease(GrantLeaseRequest.newBuilder().setTtl(TEN_SECONDS).build())
            .getLeaseId();
    var responses = new Received<KeepAliveResponse>();
    StreamObserver<KeepAliveRequest> requests =
        LeaseServiceGrpc.newStub(cluster.channel(follower)).keepAlive(responses);
    for (int sequence = 1; sequence <= 40; sequence++) {
      requests.onNext(
          KeepAliveRequest.newBuilder().addLeaseIds(lease).setSequence(sequence).build());
    }
    requests.onCompleted();
    for (int sequence = 1; sequence <= 40; sequence++) {
      KeepAliveResponse response = responses.next();
      assertEquals(sequence, response.getSequence());
      assertTrue(response.getRenewals(0).getAlive());
      assertEquals(TEN_SECONDS, response.getRenewals(0).getTtl());
    }
    assertNull(responses.awaitEnd());
  }

  @Test
  void watchesResumeAtAnotherMember() throws Exception {
    cluster.awaitLeader();
    var first = new Received<WatchResponse>();
    cluster.watches(1).watch(WatchRequest.newBuilder().setPrefix("jobs/").build(), first);
    WatchResponse opening = first.next();
    assertEquals(1, opening.getHeader().getMemberId());

    AcquireLockResponse acquired = cluster.locks(1).acquireLock(acquire("jobs/a"));
    LockEvent event = nextEvents(first).get(0);
    assertEquals(LockEvent.Kind.KIND_ACQUIRED, event.getKind());
    assertEquals(acquired.getToken(), event.getToken());

    cluster.locks(2).releaseLock(release("jobs/a", acquired));
    cluster.locks(2).acquireLock(acquire("elsewhere"));

    var second = new Received<WatchResponse>();
    cluster
        .watches(2)
        .watch(
            WatchRequest.newBuilder()
                .setPrefix("jobs/")
                .setStartRevision(event.getRevision() + 1)
                .build(),
            second);
    LockEvent resumed = nextEvents(second).get(0);
    assertEquals(LockEvent.Kind.KIND_RELEASED, resumed.getKind());
    assertEquals(acquired.getToken(), resumed.getToken());
  }

  private static List<LockEvent> nextEvents(Received<WatchResponse> stream) throws Exception {
    while (true) {
      WatchResponse response = stream.next();
      if (response.getEventsCount() > 0) {
        return response.getEventsList();
      }
    }
  }

  static AcquireLockRequest acquire(String name) {
    return AcquireLockRequest.newBuilder().setName(name).setTtl(TEN_SECONDS).build();
  }

  static ReleaseLockRequest release(String name, AcquireLockResponse held) {
    return ReleaseLockRequest.newBuilder()
        .setName(name)
        .setLeaseId(held.getLeaseId())
        .setToken(held.getToken())
        .build();
  }
}

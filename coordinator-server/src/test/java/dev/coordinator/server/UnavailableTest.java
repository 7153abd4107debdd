// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import static dev.coordinator.server.Errors.assertFails;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.internal.v1.Envelope;
import dev.coordinator.v1.AcquireLockRequest;
import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.GetLockRequest;
import dev.coordinator.v1.LockServiceGrpc;
import dev.coordinator.v1.WatchRequest;
import dev.coordinator.v1.WatchResponse;
import io.grpc.ClientInterceptor;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.MetadataUtils;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What callers hear when the leader is elsewhere, gone, or not there at all. */
class UnavailableTest {

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
  void aForwardedCallIsNotForwardedAgain() {
    int follower = cluster.awaitFollower();
    int leader = cluster.awaitLeader();
    ManagedChannel channel =
        Grpc.newChannelBuilder(cluster.peerAddress(follower), InsecureChannelCredentials.create())
            .build();
    try {
      LockServiceGrpc.LockServiceBlockingStub locks =
          LockServiceGrpc.newBlockingStub(channel)
              .withInterceptors(passedOn(leader, follower))
              .withDeadlineAfter(20, TimeUnit.SECONDS);
      StatusRuntimeException failure =
          assertFails(
              Code.UNAVAILABLE,
              "NOT_LEADER",
              Map.of(
                  "leader", cluster.clientAddress(leader), "leader_id", Integer.toString(leader)),
              () -> locks.getLock(GetLockRequest.newBuilder().setName("a").build()));
      assertEquals(
          cluster.clientAddress(leader),
          failure
              .getTrailers()
              .get(Metadata.Key.of("coordinator-leader", Metadata.ASCII_STRING_MARSHALLER)));
    } finally {
      channel.shutdownNow();
    }
  }

  @Test
  void aClientCannotPretendThatItsCallWasForwarded() {
    int follower = cluster.awaitFollower();
    AcquireLockResponse acquired =
        cluster
            .locks(follower)
            .withInterceptors(passedOn(cluster.awaitLeader(), follower))
            .acquireLock(ClusterTest.acquire("a"));
    assertEquals(AcquireLockResponse.Outcome.OUTCOME_ACQUIRED, acquired.getOutcome());
  }

  private static ClientInterceptor passedOn(int from, int to) {
    var mark = new Metadata();
    mark.put(
        Metadata.Key.of("coordinator-forwarded-bin", Metadata.BINARY_BYTE_MARSHALLER),
        Envelope.newBuilder().setClusterId("test").setFrom(from).setTo(to).build().toByteArray());
    return MetadataUtils.newAttachHeadersInterceptor(mark);
  }

  @Test
  void withoutAMajorityThereIsNoLeader() throws Exception {
    int alone = cluster.awaitLeader();
    InProcessCluster.await("the health to tell", () -> health(alone) == ServingStatus.SERVING);
    assertEquals(200, http(alone, "/readyz"));
    var watch = new Received<WatchResponse>();
    cluster.watches(alone).watch(WatchRequest.newBuilder().setPrefix("").build(), watch);
    watch.next();

    for (int member = 1; member <= 3; member++) {
      if (member != alone) {
        cluster.stop(member);
      }
    }
    InProcessCluster.await(
        "the leader to step down", () -> cluster.status(alone).getHeader().getLeaderId() == 0);

    StatusRuntimeException failure =
        assertFails(
            Code.UNAVAILABLE,
            "NO_LEADER",
            Map.of(),
            () -> cluster.locks(alone).acquireLock(ClusterTest.acquire("a")));
    assertTrue(Errors.retryInfo(failure).isPresent());
    assertFails(Code.UNAVAILABLE, "NO_LEADER", Map.of(), watch.awaitFailure());
    InProcessCluster.await("the health to tell", () -> health(alone) == ServingStatus.NOT_SERVING);
    assertEquals(503, http(alone, "/readyz"));
    assertEquals(200, http(alone, "/livez"));
    assertEquals(
        0, cluster.status(alone).getFollowersCount(), "status is answered without a leader");
  }

  @Test
  void aWaitThroughAFollowerEndsWithAnUnknownOutcomeWhenTheLeaderStops() throws Exception {
    int follower = cluster.awaitFollower();
    int leader = cluster.awaitLeader();
    cluster.locks(leader).acquireLock(ClusterTest.acquire("a"));
    var waiting = new Received<AcquireLockResponse>();
    AcquireLockRequest request = ClusterTest.acquire("a");
    LockServiceGrpc.newStub(cluster.channel(follower)).acquireLock(request, waiting);
    InProcessCluster.await("the waiter", () -> cluster.status(leader).getWaiters() == 1);

    cluster.stop(leader);

    assertFails(Code.UNAVAILABLE, "OUTCOME_UNKNOWN", Map.of(), waiting.awaitFailure());
  }

  private ServingStatus health(int member) {
    HealthCheckResponse all =
        HealthGrpc.newBlockingStub(cluster.channel(member))
            .check(HealthCheckRequest.getDefaultInstance());
    return all.getStatus();
  }

  private int http(int member, String path) throws Exception {
    URI uri = URI.create("http://" + cluster.server(member).httpAddress().orElseThrow() + path);
    return HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.discarding())
        .statusCode();
  }
}

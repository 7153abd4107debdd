// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import dev.coordinator.server.config.ServerConfig;
import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.GetStatusResponse;
import dev.coordinator.v1.LeaseServiceGrpc;
import dev.coordinator.v1.ListMembersRequest;
import dev.coordinator.v1.LockServiceGrpc;
import dev.coordinator.v1.Role;
import dev.coordinator.v1.WatchServiceGrpc;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What those who run members use: status, health, reflection, metrics, and its end. */
class OperationsTest {

  private static final List<String> SERVICES =
      List.of(
          LeaseServiceGrpc.SERVICE_NAME,
          LockServiceGrpc.SERVICE_NAME,
          WatchServiceGrpc.SERVICE_NAME,
          ClusterServiceGrpc.SERVICE_NAME);

  @TempDir static Path directory;
  private static InProcessCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    cluster = InProcessCluster.start(directory, 1, Map.of());
    cluster.awaitLeader();
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  @Test
  void aMemberDescribesItselfAndItsCluster() {
    GetStatusResponse status = cluster.status(1);
    assertEquals("test", status.getHeader().getClusterId());
    assertEquals(1, status.getHeader().getMemberId());
    assertEquals(Role.ROLE_LEADER, status.getRole());
    assertEquals(cluster.clientAddress(1), status.getLeaderAddress());
    InProcessCluster.await("a commit", () -> cluster.status(1).getCommitIndex() >= 1);
    assertFalse(status.getVersion().isEmpty());
    var members =
        ClusterServiceGrpc.newBlockingStub(cluster.channel(1))
            .listMembers(ListMembersRequest.getDefaultInstance())
            .getMembersList();
    assertEquals(1, members.size());
    assertEquals(cluster.clientAddress(1), members.get(0).getClientAddress());
    assertEquals(cluster.peerAddress(1), members.get(0).getPeerAddress());
  }

  @Test
  void reflectionShowsTheServicesOfClientsOnly() {
    var reflection = new Received<ServerReflectionResponse>();
    ServerReflectionGrpc.newStub(cluster.channel(1))
        .serverReflectionInfo(reflection)
        .onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    Set<String> names =
        reflection.next().getListServicesResponse().getServiceList().stream()
            .map(ServiceResponse::getName)
            .collect(Collectors.toSet());
    reflection.cancel();
    assertTrue(names.containsAll(SERVICES), names::toString);
    assertTrue(names.contains(HealthGrpc.SERVICE_NAME));
    assertFalse(names.contains("coordinator.internal.v1.RaftService"));
  }

  @Test
  void everyServiceReportsItsHealth() {
    var health = HealthGrpc.newBlockingStub(cluster.channel(1));
    for (String service : SERVICES) {
      InProcessCluster.await(
          service + " to serve",
          () ->
              health.check(HealthCheckRequest.newBuilder().setService(service).build()).getStatus()
                  == ServingStatus.SERVING);
    }
  }

  @Test
  void metricsAreThereForPrometheus() throws Exception {
    cluster.locks(1).acquireLock(ClusterTest.acquire("metrics"));
    // Calls are counted when they are over for the server, a little after the client has its
    // answer.
    InProcessCluster.await(
        "the call to be counted",
        () ->
            get("/metrics")
                .body()
                .contains(
                    "coordinator_grpc_calls_total{code=\"OK\",method=\"AcquireLock\","
                        + "service=\"coordinator.v1.LockService\"} 1"));
    HttpResponse<String> response = get("/metrics");
    assertEquals(
        "text/plain; version=0.0.4; charset=utf-8",
        response.headers().firstValue("Content-Type").orElseThrow());
    for (String name :
        List.of(
            "coordinator_raft_term",
            "coordinator_grpc_duration_seconds_bucket",
            "coordinator_grpc_forwarded_total",
            "coordinator_wal_fsync_duration_seconds_count",
            "coordinator_sequencer_checks_total",
            "coordinator_peer_refused_total",
            "jvm_gc_",
            "jvm_memory_used_bytes",
            "process_cpu_usage")) {
      assertTrue(response.body().contains("\n" + name), name);
    }
  }

  @Test
  void theHttpPortAnswersOnlyWhatItKnows() {
    assertEquals(200, get("/livez").statusCode());
    assertEquals(200, get("/readyz").statusCode());
    assertEquals(404, get("/").statusCode());
    assertEquals(
        405,
        send(HttpRequest.newBuilder(uri("/metrics")).POST(HttpRequest.BodyPublishers.noBody()))
            .statusCode());
  }

  @Test
  void aPortInUseIsNamed(@TempDir Path other) {
    var server =
        new CoordinatorServer(
            ServerConfig.of(
                Map.of(
                    "dataDir",
                    other.toString(),
                    "listen.client",
                    cluster.clientAddress(1),
                    "listen.peer",
                    "127.0.0.1:0",
                    "listen.http",
                    "off")));
    IOException failure = assertThrows(IOException.class, server::start);
    assertTrue(
        failure
            .getMessage()
            .startsWith("cannot listen at " + cluster.clientAddress(1) + " (listen.client): "),
        failure.getMessage());
    assertTrue(server.terminated().isDone(), "nothing of it is left");
  }

  @Test
  void freePortsAreToldAndClosingEndsTheServer(@TempDir Path other) throws Exception {
    var server =
        new CoordinatorServer(
            ServerConfig.of(
                Map.of(
                    "dataDir",
                    other.toString(),
                    "listen.client",
                    "127.0.0.1:0",
                    "listen.peer",
                    "127.0.0.1:0",
                    "listen.http",
                    "127.0.0.1:0")));
    server.start();
    assertTrue(server.clientAddress().port() > 0);
    assertTrue(server.peerAddress().port() > 0);
    assertTrue(server.httpAddress().orElseThrow().port() > 0);
    assertFalse(server.terminated().isDone());
    server.close();
    server.close();
    server.awaitTermination();
  }

  @Test
  void aMemberThatCannotWriteItsLogStopsAndSaysSo(@TempDir Path other) throws Exception {
    try (var alone = InProcessCluster.start(other, 1, Map.of())) {
      alone.awaitLeader();
      CoordinatorServer server = alone.server(1);
      for (Path log : logDirectories(other)) {
        try (var files = Files.list(log)) {
          for (Path file : files.toList()) {
            Files.delete(file);
          }
        }
        Files.delete(log);
      }
      var filler = ClusterTest.acquire("a").toBuilder().setMetadata("m".repeat(1_000)).build();
      InProcessCluster.await(
          "the member to need another file",
          () -> {
            var calls = new ArrayList<Received<AcquireLockResponse>>();
            for (int i = 0; i < 200; i++) {
              var call = new Received<AcquireLockResponse>();
              calls.add(call);
              LockServiceGrpc.newStub(alone.channel(1))
                  .acquireLock(
                      filler.toBuilder().setWaitTimeout(Duration.getDefaultInstance()).build(),
                      call);
            }
            calls.forEach(Received::awaitEnd);
            return server.terminated().isDone();
          });
      assertThrows(CompletionException.class, server::awaitTermination);
    }
  }

  private static List<Path> logDirectories(Path root) throws IOException {
    try (var files = Files.walk(root)) {
      return files.filter(path -> path.endsWith("log") && Files.isDirectory(path)).toList();
    }
  }

  private static HttpResponse<String> get(String path) {
    return send(HttpRequest.newBuilder(uri(path)));
  }

  private static HttpResponse<String> send(HttpRequest.Builder request) {
    try {
      return HttpClient.newHttpClient().send(request.build(), BodyHandlers.ofString());
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static URI uri(String path) {
    return URI.create("http://" + cluster.server(1).httpAddress().orElseThrow() + path);
  }
}

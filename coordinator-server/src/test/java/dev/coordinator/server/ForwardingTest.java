// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.LockServiceGrpc;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls that a follower passes on, and the connection for them that its clients share. */
class ForwardingTest {

  private static final int CALLS_PER_CLIENT = 8;
  private static final int CLIENTS = 3;

  @TempDir Path directory;

  @Test
  void theLimitsOfAClientsConnectionDoNotHoldForIt() throws Exception {
    List<ManagedChannel> clients = new ArrayList<>();
    try (var cluster =
        InProcessCluster.start(
            directory, 3, Map.of("grpc.maxCallsPerConnection", "10", "grpc.maxResets", "10"))) {
      int follower = cluster.awaitFollower();
      int leader = cluster.awaitLeader();
      AcquireLockResponse held = cluster.locks(leader).acquireLock(ClusterTest.acquire("a"));
      var bystander = new Received<AcquireLockResponse>();
      LockServiceGrpc.newStub(cluster.channel(follower))
          .acquireLock(ClusterTest.acquire("a"), bystander);

      List<Received<AcquireLockResponse>> waits = new ArrayList<>();
      for (int client = 0; client < CLIENTS; client++) {
        ManagedChannel channel =
            Grpc.newChannelBuilder(
                    cluster.clientAddress(follower), InsecureChannelCredentials.create())
                .build();
        clients.add(channel);
        for (int call = 0; call < CALLS_PER_CLIENT; call++) {
          var wait = new Received<AcquireLockResponse>();
          LockServiceGrpc.newStub(channel).acquireLock(ClusterTest.acquire("a"), wait);
          waits.add(wait);
        }
      }
      awaitWaiters(cluster, leader, 1 + CLIENTS * CALLS_PER_CLIENT);
      waits.forEach(Received::cancel);
      awaitWaiters(cluster, leader, 1);

      cluster.locks(leader).releaseLock(ClusterTest.release("a", held));
      assertEquals(AcquireLockResponse.Outcome.OUTCOME_ACQUIRED, bystander.next().getOutcome());
    } finally {
      clients.forEach(ManagedChannel::shutdownNow);
    }
  }

  @Test
  void aCallThatIsPassedOnCountsOnceInTheCluster() throws Exception {
    try (var cluster = InProcessCluster.start(directory, 3, Map.of())) {
      int follower = cluster.awaitFollower();
      AcquireLockResponse held = cluster.locks(follower).acquireLock(ClusterTest.acquire("a"));
      // Takes the same way, so whoever counts the first call has done so when this one is answered.
      cluster.locks(follower).releaseLock(ClusterTest.release("a", held));
      InProcessCluster.await("the call to be counted", () -> acquisitions(cluster, follower) == 1);
      double sum = 0;
      for (int member = 1; member <= 3; member++) {
        sum += acquisitions(cluster, member);
      }
      assertEquals(1, sum);
    }
  }

  private static double acquisitions(InProcessCluster cluster, int member) {
    try {
      return cluster
          .metrics(member)
          .lines()
          .filter(line -> line.startsWith("coordinator_grpc_calls_total{"))
          .filter(line -> line.contains("method=\"AcquireLock\""))
          .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
          .sum();
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void awaitWaiters(InProcessCluster cluster, int leader, int waiters) {
    InProcessCluster.await(
        waiters + " waiters", () -> cluster.status(leader).getWaiters() == waiters);
  }
}

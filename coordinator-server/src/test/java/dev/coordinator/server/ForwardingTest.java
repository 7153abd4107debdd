// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.LockServiceGrpc;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The connection on which a follower passes calls on is shared by all of its clients. */
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

  private static void awaitWaiters(InProcessCluster cluster, int leader, int waiters) {
    InProcessCluster.await(
        waiters + " waiters", () -> cluster.status(leader).getWaiters() == waiters);
  }
}

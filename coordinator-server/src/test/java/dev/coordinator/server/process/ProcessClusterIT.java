// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.client.CoordinatorClient;
import dev.coordinator.client.HeldLock;
import dev.coordinator.client.LeaseGrant;
import dev.coordinator.client.LockInfo;
import dev.coordinator.client.Session;
import dev.coordinator.server.cli.local.LocalCluster;
import dev.coordinator.server.cli.local.MemberProcess;
import dev.coordinator.server.cli.local.Ports;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three members as processes of their own, with fsync, that are killed with SIGKILL. */
@Tag("process")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ProcessClusterIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration LONG_TTL = Duration.ofMinutes(10);

  @TempDir Path directory;

  private LocalCluster cluster;
  private CoordinatorClient client;

  @BeforeEach
  void startCluster() throws InterruptedException {
    cluster = new LocalCluster(directory, Ports.free(3), Map.of());
    cluster.start();
    cluster.awaitAll(PATIENCE);
    client =
        CoordinatorClient.builder()
            .endpoints(cluster.endpoints().toArray(String[]::new))
            .callTimeout(PATIENCE)
            .build();
  }

  @AfterEach
  void stopCluster() {
    client.close();
    cluster.close();
  }

  @Test
  void killOfTheLeaderUnderLoadLosesNothing() throws Exception {
    List<LockingWorker> workers = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      workers.add(new LockingWorker(client.newSession(LONG_TTL), "worker-" + i));
    }
    workers.forEach(LockingWorker::start);
    for (int round = 0; round < 3; round++) {
      awaitProgress(workers);
      MemberProcess leader = cluster.awaitLeader(PATIENCE);
      leader.kill();
      awaitProgress(workers);
      leader.start();
      cluster.awaitAll(PATIENCE);
    }
    for (LockingWorker worker : workers) {
      worker.stop();
    }

    Map<String, Long> kept = new TreeMap<>();
    workers.forEach(worker -> kept.putAll(worker.kept()));
    assertTrue(kept.size() >= workers.size(), "too few locks were kept to show anything");
    assertEquals(kept, heldTokens("worker-"));
  }

  /** Every worker gets on by some operations. */
  private static void awaitProgress(List<LockingWorker> workers) throws InterruptedException {
    for (LockingWorker worker : workers) {
      worker.awaitMore(20, PATIENCE);
    }
  }

  @Test
  void leasesKeepTheirRemainingTtlWhenTheLeaderIsKilled() throws InterruptedException {
    LeaseGrant grant = client.leases().grant(Duration.ofSeconds(30), "nobody renews it");
    awaitRemainingBelow(grant.id(), Duration.ofSeconds(28));
    Duration before = client.leases().get(grant.id()).orElseThrow().remaining();

    cluster.awaitLeader(PATIENCE).kill();
    cluster.awaitLeader(PATIENCE);

    Duration after = client.leases().get(grant.id()).orElseThrow().remaining();
    assertTrue(
        after.compareTo(before) <= 0,
        () -> "a new leader gave the lease " + after + ", it had " + before + " left");
  }

  private void awaitRemainingBelow(long leaseId, Duration limit) throws InterruptedException {
    while (client.leases().get(leaseId).orElseThrow().remaining().compareTo(limit) >= 0) {
      TimeUnit.MILLISECONDS.sleep(50);
    }
  }

  @Test
  void leasesDoNotEndEarlyWhenLeadersAreKilled() throws InterruptedException {
    Duration ttl = Duration.ofSeconds(5);
    long sentNanos = System.nanoTime();
    LeaseGrant grant = client.leases().grant(ttl, "nobody renews it");
    MemberProcess killed = cluster.awaitLeader(PATIENCE);
    killed.kill();

    while (client.leases().get(grant.id()).isPresent()) {
      TimeUnit.MILLISECONDS.sleep(20);
    }

    Duration lived = Duration.ofNanos(System.nanoTime() - sentNanos);
    assertTrue(lived.compareTo(ttl) >= 0, () -> "the lease lived for " + lived + " only");
  }

  @Test
  void restartOfAllMembersKeepsWhatWasAcknowledged() throws InterruptedException {
    Session session = client.newSession(LONG_TTL);
    Map<String, Long> tokens = new TreeMap<>();
    for (int i = 0; i < 20; i++) {
      HeldLock held = session.lock("kept/" + i).acquire();
      tokens.put(held.name(), held.token());
    }
    HeldLock released = session.lock("kept/given-back").acquire();
    released.close();

    for (MemberProcess member : cluster.members()) {
      member.kill();
    }
    cluster.start();
    cluster.awaitAll(PATIENCE);

    assertEquals(tokens, heldTokens("kept/"));
    long highest = tokens.values().stream().mapToLong(Long::longValue).max().orElseThrow();
    try (HeldLock again = session.lock("kept/given-back").acquire()) {
      assertTrue(again.token() > highest && again.token() > released.token());
    }
  }

  private Map<String, Long> heldTokens(String prefix) {
    Map<String, Long> tokens = new TreeMap<>();
    for (LockInfo lock : client.locks().list(prefix)) {
      Optional<LockInfo.Holder> holder = lock.holder();
      holder.ifPresent(h -> tokens.put(lock.name(), h.token()));
    }
    return tokens;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import static dev.coordinator.server.ClusterTest.acquire;
import static dev.coordinator.server.ClusterTest.release;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.MembershipChange;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftStatus;
import dev.coordinator.server.runtime.Answered;
import dev.coordinator.server.runtime.CoordinatorNode;
import dev.coordinator.v1.AcquireLockRequest;
import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.GetLockRequest;
import dev.coordinator.v1.GetLockResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Members that come, go, fall behind and lose their memory, over the network. */
class MembersTest {

  @TempDir Path directory;
  private InProcessCluster cluster;

  private void start(Map<String, String> settings) throws Exception {
    cluster = InProcessCluster.start(directory, 3, settings);
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  private CoordinatorNode node(int member) {
    return cluster.server(member).node();
  }

  private RaftStatus raft(int member) {
    return node(member).status().raft();
  }

  private Membership change(MembershipChange change) throws Exception {
    // A promotion has to wait until the learner has caught up, any change for the one before it.
    long giveUpAt = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (true) {
      try {
        return node(cluster.awaitAnyLeader()).changeMembership(change).get().value();
      } catch (ExecutionException refused) {
        if (System.nanoTime() > giveUpAt) {
          throw refused;
        }
        TimeUnit.MILLISECONDS.sleep(20);
      }
    }
  }

  /** For a lock that is not lost while a slow machine works. */
  private static AcquireLockRequest lasting(String name) {
    return acquire(name).toBuilder().setTtl(Duration.newBuilder().setSeconds(600)).build();
  }

  /** Takes and gives back locks, each of which is two entries. */
  private void work(int locks) throws Exception {
    for (int i = 0; i < locks; i++) {
      int leader = cluster.awaitLeader();
      AcquireLockResponse held =
          InProcessCluster.retry(() -> cluster.locks(leader).acquireLock(acquire("work")));
      cluster.locks(leader).releaseLock(release("work", held));
    }
  }

  @Test
  void aMemberJoinsIsPromotedAndTakesThePlaceOfAnother() throws Exception {
    start(Map.of());
    int leader = cluster.awaitLeader();
    long token = cluster.locks(leader).acquireLock(lasting("kept")).getToken();
    cluster.join(4);
    NodeId four = new NodeId(4);

    change(
        MembershipChange.add(
            new MemberInfo(four, cluster.clientAddress(4), cluster.peerAddress(4), 0)));
    InProcessCluster.await(
        "the new member to know a leader", () -> !node(4).leader().equals(NodeId.NONE));
    GetLockResponse lock = getLock(4, "kept");
    assertEquals(token, lock.getLock().getHolder().getToken());
    assertEquals(4, lock.getHeader().getMemberId(), "a learner answers reads itself");

    NodeId old = new NodeId(cluster.awaitFollowerOtherThan(4));
    Membership replaced = change(MembershipChange.replace(old, four));
    assertTrue(replaced.voters().contains(four));
    assertTrue(!replaced.contains(old) && !replaced.isJoint());
    cluster.stop((int) old.value());

    // Two of the three that are left include the new one, which is needed now.
    int other = cluster.awaitFollowerOtherThan(4);
    cluster.stop(other);
    InProcessCluster.retry(() -> cluster.locks(4).acquireLock(acquire("after")));

    cluster.stop(4);
    cluster.start(4);
    assertTrue(node(4).membership().contains(four), "it remembers who it is");
  }

  private GetLockResponse getLock(int member, String name) throws Exception {
    return InProcessCluster.retry(
        () -> cluster.locks(member).getLock(GetLockRequest.newBuilder().setName(name).build()));
  }

  @Test
  void aMemberFarBehindCatchesUpWithASnapshot() throws Exception {
    start(
        Map.of(
            "storage.snapshotAfterEntries", "20",
            "storage.snapshotTailEntries", "0",
            "raft.maxSnapshotChunkSize", "64KiB"));
    int away = cluster.awaitFollower();
    long known = raft(away).last();
    cluster.stop(away);
    long token =
        InProcessCluster.retry(
                () -> cluster.locks(cluster.awaitLeader()).acquireLock(lasting("while away")))
            .getToken();
    work(40);
    int leader = cluster.awaitLeader();
    InProcessCluster.await(
        "the entries that the member lacks to be gone", () -> raft(leader).base() > known);

    cluster.start(away);
    InProcessCluster.await(
        "the member to catch up", () -> raft(away).applied() >= raft(leader).applied());
    assertTrue(raft(away).snapshot() > known);
    assertEquals(token, getLock(away, "while away").getLock().getHolder().getToken());

    cluster.stop(away);
    cluster.start(away);
    Answered<Long> restored = node(away).staleRead(MachineView::appliedIndex).get();
    assertTrue(restored.value() > known, "it starts from its snapshot");
  }

  @Test
  void aMemberThatLostItsDirectoryIsIgnored() throws Exception {
    start(Map.of());
    int wiped = cluster.awaitFollower();
    NodeId id = new NodeId(wiped);
    InProcessCluster.await(
        "its directory to be known",
        () ->
            Stream.of(1, 2, 3)
                .allMatch(member -> node(member).membership().member(id).incarnation() != 0));
    cluster.stop(wiped);
    delete(cluster.dataDir(wiped));
    cluster.start(wiped);
    work(3);
    assertEquals(0, raft(wiped).last(), "nothing is confirmed by it, so nothing is sent");

    int leader = cluster.awaitLeader();
    int other = 6 - wiped - leader;
    cluster.stop(other);
    InProcessCluster.await(
        "the leader to step down, for the wiped member does not count",
        () -> !node(leader).isLeader());
    cluster.start(other);
    InProcessCluster.retry(() -> cluster.locks(other).acquireLock(acquire("again")));
  }

  private static void delete(Path path) throws IOException {
    try (Stream<Path> files = Files.walk(path)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Test
  void aLeaderThatStopsHandsOverFirst() throws Exception {
    // Nobody would campaign for seconds if it just went away.
    start(
        Map.of(
            "raft.electionTimeout", "10s",
            "raft.disconnectJitter", "10s"));
    int leader = cluster.awaitLeader();
    long term = raft(leader).term();
    long beforeNanos = System.nanoTime();
    cluster.stop(leader);
    int next = cluster.awaitLeader();
    assertNotEquals(leader, next);
    assertEquals(term + 1, raft(next).term(), "there was one election, and it was won");
    long tookMs = (System.nanoTime() - beforeNanos) / 1_000_000;
    assertTrue(tookMs < 10_000, "took " + tookMs + " ms");
  }

  @Test
  void leadershipGoesToTheChosenMember() throws Exception {
    start(Map.of());
    int leader = cluster.awaitLeader();
    int target = cluster.awaitFollower();
    NodeId id = new NodeId(target);
    assertEquals(id, node(leader).transferLeadership(id).get().value());
    assertEquals(target, cluster.awaitLeader());
  }

  @Test
  void aFollowerAnswersReadsItself() throws Exception {
    start(Map.of());
    int follower = cluster.awaitFollower();
    int leader = cluster.awaitLeader();
    for (int i = 0; i < 20; i++) {
      AcquireLockResponse held = cluster.locks(leader).acquireLock(acquire("a"));
      GetLockResponse seen = getLock(follower, "a");
      assertEquals(follower, seen.getHeader().getMemberId());
      assertEquals(held.getToken(), seen.getLock().getHolder().getToken(), "never too old");
      cluster.locks(leader).releaseLock(release("a", held));
    }
  }
}

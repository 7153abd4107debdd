// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.raft.NodeId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Partitions that leave a leader its majority neither depose it nor keep it from committing. */
class PartitionTest {

  private static final int SEEDS = 5;
  private static final long LONG_MS = 30_000;
  private static final long STEP_MS = 100;

  /** The longest pause between two commits while clients renew their leases all the time. */
  private static final long MAX_GAP_MS = 2_000;

  private SimulatedCluster cluster;
  private SimulatedMember leader;
  private long term;

  private void begin(int members, long seed) {
    cluster =
        new SimulatedCluster(
            new SplittableRandom(seed), Tuning.usual(members), Faults.NONE, Story.SILENT);
    awaitLeader();
  }

  private void awaitLeader() {
    leader = null;
    for (long waitedMs = 0; leader == null; waitedMs += STEP_MS) {
      assertTrue(waitedMs < 10_000, "no leader after 10 s");
      cluster.run(STEP_MS);
      for (SimulatedMember member : cluster.members()) {
        if (member.isLeader() && member.loop().core().status().committed() > 0) {
          leader = member;
          term = member.loop().core().status().term();
        }
      }
    }
  }

  /** Members in an order that the seed decides. */
  private List<NodeId> shuffled(long seed) {
    List<NodeId> order = new ArrayList<>();
    cluster.members().forEach(member -> order.add(member.id()));
    Collections.shuffle(order, new Random(seed));
    return order;
  }

  private List<NodeId> followerFirst(long seed) {
    List<NodeId> order = shuffled(seed);
    order.remove(leader.id());
    order.add(leader.id());
    return order;
  }

  private void runCommitting(long forMs) {
    long committed = cluster.oracle().committed();
    long gapMs = 0;
    for (long ranMs = 0; ranMs < forMs; ranMs += STEP_MS) {
      cluster.run(STEP_MS);
      gapMs = cluster.oracle().committed() > committed ? 0 : gapMs + STEP_MS;
      committed = cluster.oracle().committed();
      assertTrue(gapMs <= MAX_GAP_MS, "nothing was committed for " + gapMs + " ms");
    }
  }

  private void assertSameLeader() {
    assertTrue(leader.isLeader(), () -> "the leader was deposed:\n" + cluster.describe());
    for (SimulatedMember member : cluster.members()) {
      assertEquals(term, member.loop().core().status().term(), cluster::describe);
    }
  }

  @ParameterizedTest
  @CsvSource({"3, BOTH", "5, BOTH", "3, IN", "5, IN", "3, OUT", "5, OUT"})
  void aFollowerThatComesBackCausesNoElection(int members, String cut) {
    for (long seed = 1; seed <= SEEDS; seed++) {
      begin(members, seed);
      List<NodeId> order = followerFirst(seed);
      Partition partition =
          cut.equals("BOTH")
              ? Partition.split(cluster.network(), order, 1)
              : Partition.oneWay(cluster.network(), order, cut.equals("IN"));
      partition.close();
      runCommitting(LONG_MS);
      partition.open();
      runCommitting(10_000);
      assertSameLeader();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 5})
  void aFollowerThatRestartsCausesNoElection(int members) {
    for (long seed = 1; seed <= SEEDS; seed++) {
      begin(members, seed);
      SimulatedMember follower = cluster.member(followerFirst(seed).get(0));
      for (int i = 0; i < 5; i++) {
        cluster.crashAndRestart(follower, true);
        runCommitting(3_000);
      }
      assertSameLeader();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 5, 7})
  void aBridgeKeepsItsLeader(int members) {
    for (long seed = 1; seed <= SEEDS; seed++) {
      begin(members, seed);
      keepsLeader(Partition.bridge(cluster.network(), shuffled(seed)));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {5, 7})
  void aRingKeepsItsLeader(int members) {
    for (long seed = 1; seed <= SEEDS; seed++) {
      begin(members, seed);
      keepsLeader(Partition.ring(cluster.network(), shuffled(seed)));
    }
  }

  private void keepsLeader(Partition partition) {
    partition.close();
    runCommitting(LONG_MS);
    partition.open();
    runCommitting(10_000);
    assertSameLeader();
  }

  /** Nobody hears all others, yet a new leader is found. */
  @ParameterizedTest
  @ValueSource(strings = {"bridge", "ring"})
  void aKilledLeaderIsReplaced(String shape) {
    for (long seed = 1; seed <= SEEDS; seed++) {
      begin(5, seed);
      List<NodeId> order = shuffled(seed);
      Partition partition =
          shape.equals("bridge")
              ? Partition.bridge(cluster.network(), order)
              : Partition.ring(cluster.network(), order);
      partition.close();
      cluster.run(2_000);
      cluster.crashAndRestart(leader, false);
      cluster.run(5_000);
      awaitLeader();
      runCommitting(LONG_MS);
    }
  }
}

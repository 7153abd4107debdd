// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftStatus;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;

/** A simulated cluster that has found its leader, to which nothing happens but what a test does. */
final class QuietCluster {

  private static final long STEP_MS = 100;
  private static final long MAX_ELECTION_MS = 10_000;

  /** The longest pause between two commits while clients renew their leases all the time. */
  private static final long MAX_GAP_MS = 2_000;

  private final long seed;
  private final SimulatedCluster cluster;
  private SimulatedMember leader;
  private long term;

  QuietCluster(int members, long seed) {
    this.seed = seed;
    this.cluster =
        new SimulatedCluster(
            new SplittableRandom(seed), Tuning.usual(members), Faults.NONE, Story.SILENT);
    awaitLeader();
  }

  SimulatedCluster cluster() {
    return cluster;
  }

  SimulatedNetwork network() {
    return cluster.network();
  }

  SimulatedMember leader() {
    return leader;
  }

  long term() {
    return term;
  }

  /** Some follower. */
  SimulatedMember follower() {
    return cluster.member(followerFirst().get(0));
  }

  static RaftStatus status(SimulatedMember member) {
    return member.loop().core().status();
  }

  /** Waits for a leader that has committed something; it is the one to compare with. */
  void awaitLeader() {
    leader = null;
    for (long waitedMs = 0; leader == null; waitedMs += STEP_MS) {
      assertTrue(waitedMs < MAX_ELECTION_MS, cluster::describe);
      cluster.run(STEP_MS);
      for (SimulatedMember member : cluster.members()) {
        if (member.isLeader() && status(member).committed() > 0) {
          leader = member;
          term = status(member).term();
        }
      }
    }
  }

  /** Members in an order that the seed decides. */
  List<NodeId> shuffled() {
    List<NodeId> order = new ArrayList<>();
    cluster.members().forEach(member -> order.add(member.id()));
    Collections.shuffle(order, new Random(seed));
    return order;
  }

  /** The same, but the leader comes last. */
  List<NodeId> followerFirst() {
    List<NodeId> order = shuffled();
    order.remove(leader.id());
    order.add(leader.id());
    return order;
  }

  /** Lets time pass, in which commits must go on. */
  void runCommitting(long forMs) {
    long committed = cluster.oracle().committed();
    long gapMs = 0;
    for (long ranMs = 0; ranMs < forMs; ranMs += STEP_MS) {
      cluster.run(STEP_MS);
      gapMs = cluster.oracle().committed() > committed ? 0 : gapMs + STEP_MS;
      committed = cluster.oracle().committed();
      assertTrue(gapMs <= MAX_GAP_MS, "nothing was committed for " + gapMs + " ms");
    }
  }

  /** Lets time pass until the operator has done all it was told, while commits go on. */
  void awaitOperator() {
    for (long waitedMs = 0; !cluster.operator().isIdle(); waitedMs += STEP_MS) {
      assertTrue(waitedMs < 20_000, () -> "the operator does not succeed:\n" + cluster.describe());
      runCommitting(STEP_MS);
    }
  }

  void assertSameLeader() {
    assertTrue(leader.isLeader(), () -> "the leader was deposed:\n" + cluster.describe());
    for (SimulatedMember voter : cluster.voters()) {
      if (!voter.isLost()) {
        assertEquals(term, status(voter).term(), cluster::describe);
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Members whose log no longer reaches back to where another one needs it. */
class SnapshotTest {

  private static final long FAR_BEHIND_MS = 60_000;

  private final SimulatedCluster cluster =
      new SimulatedCluster(new SplittableRandom(1), Tuning.usual(3), Faults.NONE, Story.SILENT);

  private SimulatedMember awaitLeader() {
    for (int i = 0; i < 100; i++) {
      cluster.run(100);
      for (SimulatedMember member : cluster.members()) {
        if (member.isLeader() && member.loop().core().status().committed() > 0) {
          return member;
        }
      }
    }
    throw new AssertionError("no leader after 10 s");
  }

  private SimulatedMember followerOf(SimulatedMember leader) {
    return cluster.members().stream().filter(member -> member != leader).findFirst().orElseThrow();
  }

  private Partition isolationOf(SimulatedMember member) {
    List<NodeId> order = new ArrayList<>(List.of(member.id()));
    for (SimulatedMember other : cluster.members()) {
      if (other != member) {
        order.add(other.id());
      }
    }
    return Partition.split(cluster.network(), order, 1);
  }

  private void assertCatchesUp(SimulatedMember follower) {
    long installedBefore = cluster.figures().installedSnapshots();
    cluster.run(5_000);
    RaftStatus status = follower.loop().core().status();
    assertTrue(cluster.figures().installedSnapshots() > installedBefore, cluster::describe);
    assertTrue(
        status.applied() + 100 > cluster.oracle().committed(),
        () -> "it does not catch up:\n" + cluster.describe());
    assertTrue(status.base() > 0);
  }

  @Test
  void aFollowerThatWasAwayForLongGetsASnapshot() {
    SimulatedMember leader = awaitLeader();
    long term = leader.loop().core().status().term();
    SimulatedMember follower = followerOf(leader);
    Partition away = isolationOf(follower);
    away.close();
    cluster.run(FAR_BEHIND_MS);
    away.open();
    assertCatchesUp(follower);
    assertTrue(leader.isLeader());
    assertEquals(term, leader.loop().core().status().term());
  }

  @Test
  void aSnapshotThatIsInstalledSurvivesAPowerCut() {
    SimulatedMember follower = followerOf(awaitLeader());
    Partition away = isolationOf(follower);
    away.close();
    cluster.run(FAR_BEHIND_MS);
    away.open();
    assertCatchesUp(follower);
    long applied = follower.loop().core().status().snapshot();
    cluster.crashAndRestart(follower, true);
    cluster.run(2_000);
    assertTrue(follower.loop().core().status().snapshot() >= applied);
  }
}

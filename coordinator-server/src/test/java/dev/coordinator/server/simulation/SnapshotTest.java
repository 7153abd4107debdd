// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import static dev.coordinator.server.simulation.QuietCluster.status;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.raft.RaftStatus;
import org.junit.jupiter.api.Test;

/** Members for which the log of the others no longer reaches back far enough. */
class SnapshotTest {

  private static final long FAR_BEHIND_MS = 60_000;

  private final QuietCluster quiet = new QuietCluster(3, 1);
  private final SimulatedCluster cluster = quiet.cluster();

  private void assertCatchesUpBySnapshot(SimulatedMember member) {
    long installedBefore = cluster.figures().installedSnapshots();
    quiet.runCommitting(5_000);
    RaftStatus status = status(member);
    assertTrue(cluster.figures().installedSnapshots() > installedBefore, cluster::describe);
    assertTrue(
        status.applied() + 100 > cluster.oracle().committed(),
        () -> "it does not catch up:\n" + cluster.describe());
  }

  private void fallFarBehind(SimulatedMember follower) {
    Partition away = Partition.split(cluster.network(), quiet.followerFirst(), 1);
    away.close();
    quiet.runCommitting(FAR_BEHIND_MS);
    assertTrue(status(quiet.leader()).base() > status(follower).last(), cluster::describe);
    away.open();
  }

  @Test
  void aFollowerThatWasAwayForLongGetsOne() {
    SimulatedMember follower = quiet.follower();
    fallFarBehind(follower);
    assertCatchesUpBySnapshot(follower);
    quiet.assertSameLeader();
  }

  @Test
  void whatWasInstalledSurvivesAPowerCut() {
    SimulatedMember follower = quiet.follower();
    fallFarBehind(follower);
    assertCatchesUpBySnapshot(follower);
    long installed = status(follower).snapshot();
    cluster.crashAndRestart(follower, true);
    quiet.runCommitting(2_000);
    assertTrue(status(follower).snapshot() >= installed);
    assertTrue(status(follower).applied() + 100 > cluster.oracle().committed());
  }

  @Test
  void aDamagedOneIsTakenAgainAtOnceForAFollowerThatNeedsIt() {
    SimulatedMember follower = quiet.follower();
    fallFarBehind(follower);
    SimulatedMember leader = quiet.leader();
    assertTrue(leader.flipBitOfNewestSnapshot());
    assertTrue(leader.isLost(), "it may not be able to start again");
    assertCatchesUpBySnapshot(follower);
    assertFalse(leader.isLost());
    quiet.assertSameLeader();
  }

  @Test
  void aNewMemberGetsOne() {
    quiet.runCommitting(FAR_BEHIND_MS);
    assertTrue(cluster.operator().add());
    assertCatchesUpBySnapshot(cluster.members().get(3));
    quiet.assertSameLeader();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.raft.NodeId;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Partitions that leave a leader its majority neither depose it nor keep it from committing. */
class PartitionTest {

  private static final int SEEDS = 5;
  private static final long LONG_MS = 30_000;

  @ParameterizedTest
  @CsvSource({"3, BOTH", "5, BOTH", "3, IN", "5, IN", "3, OUT", "5, OUT"})
  void aFollowerThatComesBackCausesNoElection(int members, String cut) {
    for (long seed = 1; seed <= SEEDS; seed++) {
      QuietCluster quiet = new QuietCluster(members, seed);
      List<NodeId> order = quiet.followerFirst();
      keepsLeader(
          quiet,
          cut.equals("BOTH")
              ? Partition.split(quiet.network(), order, 1)
              : Partition.oneWay(quiet.network(), order, cut.equals("IN")));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 5})
  void aFollowerThatRestartsCausesNoElection(int members) {
    for (long seed = 1; seed <= SEEDS; seed++) {
      QuietCluster quiet = new QuietCluster(members, seed);
      SimulatedMember follower = quiet.follower();
      for (int i = 0; i < 5; i++) {
        quiet.cluster().crashAndRestart(follower, true);
        quiet.runCommitting(3_000);
      }
      quiet.assertSameLeader();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 5, 7})
  void aBridgeKeepsItsLeader(int members) {
    for (long seed = 1; seed <= SEEDS; seed++) {
      QuietCluster quiet = new QuietCluster(members, seed);
      keepsLeader(quiet, Partition.bridge(quiet.network(), quiet.shuffled()));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {5, 7})
  void aRingKeepsItsLeader(int members) {
    for (long seed = 1; seed <= SEEDS; seed++) {
      QuietCluster quiet = new QuietCluster(members, seed);
      keepsLeader(quiet, Partition.ring(quiet.network(), quiet.shuffled()));
    }
  }

  private static void keepsLeader(QuietCluster quiet, Partition partition) {
    partition.close();
    quiet.runCommitting(LONG_MS);
    partition.open();
    quiet.runCommitting(10_000);
    quiet.assertSameLeader();
  }

  /** Nobody hears all others, yet a new leader is found. */
  @ParameterizedTest
  @ValueSource(strings = {"bridge", "ring"})
  void aKilledLeaderIsReplaced(String shape) {
    for (long seed = 1; seed <= SEEDS; seed++) {
      QuietCluster quiet = new QuietCluster(5, seed);
      List<NodeId> order = quiet.shuffled();
      Partition partition =
          shape.equals("bridge")
              ? Partition.bridge(quiet.network(), order)
              : Partition.ring(quiet.network(), order);
      partition.close();
      quiet.cluster().run(2_000);
      quiet.cluster().crashAndRestart(quiet.leader(), false);
      quiet.cluster().run(5_000);
      quiet.awaitLeader();
      quiet.runCommitting(LONG_MS);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import static dev.coordinator.server.simulation.QuietCluster.status;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.raft.RaftStatus;
import dev.coordinator.server.raft.RoleKind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Members that come, leave, or come back as somebody else disturb nobody. */
class MembershipTest {

  private static final int SEEDS = 5;
  private static final long LONG_MS = 20_000;

  @Test
  void aMemberThatIsAddedBecomesAVoterWithoutAnElection() {
    for (long seed = 1; seed <= SEEDS; seed++) {
      QuietCluster quiet = new QuietCluster(3, seed);
      assertTrue(quiet.cluster().operator().add());
      quiet.awaitOperator();
      assertEquals(4, quiet.cluster().voters().size());
      quiet.assertSameLeader();
    }
  }

  /** It does not hear that it has left, so it campaigns for ever. */
  @Test
  void aMemberThatWasRemovedUnawaresCausesNoElection() {
    for (long seed = 1; seed <= SEEDS; seed++) {
      QuietCluster quiet = new QuietCluster(5, seed);
      SimulatedMember removed = quiet.follower();
      Partition away = Partition.split(quiet.network(), quiet.followerFirst(), 1);
      away.close();
      quiet.cluster().operator().remove(removed);
      quiet.awaitOperator();
      away.open();
      quiet.runCommitting(LONG_MS);
      assertEquals(4, quiet.cluster().voters().size());
      assertFalse(quiet.cluster().oracle().membership().contains(removed.id()));
      quiet.assertSameLeader();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 5})
  void aMemberThatLostItsDisksIsIgnoredUntilItIsReplaced(int members) {
    for (long seed = 1; seed <= SEEDS; seed++) {
      QuietCluster quiet = new QuietCluster(members, seed);
      quiet.runCommitting(2_000);
      SimulatedMember wiped = quiet.follower();
      assertTrue(quiet.cluster().wipe(wiped));
      quiet.runCommitting(LONG_MS);
      long heardMs = -1;
      for (RaftStatus.FollowerStatus follower : status(quiet.leader()).followers()) {
        if (follower.member().equals(wiped.id())) {
          heardMs = follower.lastHeardMs();
        }
      }
      long silentSinceMs = heardMs;
      quiet.runCommitting(LONG_MS);
      for (RaftStatus.FollowerStatus follower : status(quiet.leader()).followers()) {
        if (follower.member().equals(wiped.id())) {
          assertEquals(silentSinceMs, follower.lastHeardMs(), "it counts as heard");
        }
      }
      quiet.assertSameLeader();
      assertTrue(quiet.cluster().operator().replace());
      quiet.awaitOperator();
      assertFalse(quiet.cluster().oracle().membership().contains(wiped.id()));
      assertEquals(members, quiet.cluster().voters().size());
      quiet.assertSameLeader();
    }
  }

  @Test
  void leadershipThatIsHandedOnAllTheTimeLosesNothing() {
    for (long seed = 1; seed <= SEEDS; seed++) {
      QuietCluster quiet = new QuietCluster(3, seed);
      quiet.cluster().operator().transferAgainAndAgain(50);
      quiet.runCommitting(LONG_MS);
      quiet.cluster().operator().stop();
      long term = quiet.term();
      quiet.awaitLeader();
      assertTrue(quiet.term() >= term + 10, () -> "only term " + quiet.term());
      assertEquals(RoleKind.LEADER, status(quiet.leader()).role());
    }
  }
}

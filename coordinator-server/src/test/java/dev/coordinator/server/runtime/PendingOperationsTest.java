// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.coordinator.server.machine.CoordinatorMachine;
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.MembershipChange;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftStatus;
import dev.coordinator.server.raft.RoleKind;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/** When a change of members counts as done. */
class PendingOperationsTest {

  private static final NodeId ONE = new NodeId(1);
  private static final NodeId TWO = new NodeId(2);

  private final Replies replies = new Replies(Runnable::run);
  private final PendingOperations operations = new PendingOperations(ONE, replies);
  private final LoopInput.ChangeMembership call =
      new LoopInput.ChangeMembership(MembershipChange.add(MemberInfo.of(TWO)));

  private void advance(RoleKind role, long term, long committed) {
    RaftStatus status =
        new RaftStatus(
            role,
            term,
            NodeId.NONE,
            0,
            0,
            committed,
            committed,
            committed,
            committed,
            new Membership(List.of(ONE)),
            1,
            NodeId.NONE,
            List.of());
    operations.advance(
        status, new Leadership(role, term, NodeId.NONE), new CoordinatorMachine().view(), 0);
    replies.flush();
  }

  @Test
  void aChangeIsDoneWhenItIsCommittedInItsTerm() {
    operations.begun(call, 10, 2);
    advance(RoleKind.LEADER, 2, 9);
    assertFalse(call.future.isDone());
    advance(RoleKind.LEADER, 2, 10);
    assertEquals(2, call.future.join().term());
  }

  @Test
  void whatALaterLeaderCommitsInItsPlaceDoesNotEndIt() {
    operations.begun(call, 10, 2);
    advance(RoleKind.FOLLOWER, 3, 12);
    assertFalse(call.future.isDone());
    operations.leadershipLost(NodeException.outcomeUnknown(NodeId.NONE, "leadership was lost"));
    replies.flush();
    assertThrows(CompletionException.class, call.future::join);
  }
}

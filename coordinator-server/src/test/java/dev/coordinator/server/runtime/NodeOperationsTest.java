// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import static dev.coordinator.server.runtime.Calls.acquire;
import static dev.coordinator.server.runtime.Calls.failure;
import static dev.coordinator.server.runtime.Calls.lease;
import static dev.coordinator.server.runtime.Calls.outcome;
import static dev.coordinator.server.runtime.Calls.value;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.MembershipChange;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.runtime.LoopCluster.Member;
import dev.coordinator.server.runtime.NodeException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Changes of the members, transfers of leadership, and reads that any member answers. */
class NodeOperationsTest {

  private static final NodeId FOUR = new NodeId(4);

  private final LoopCluster cluster = new LoopCluster(3);
  private final Member leader = cluster.elect();
  private final Member follower = cluster.others(leader).get(0);

  private PendingCall submit(Command command) {
    PendingCall call = leader.node.submit(command);
    cluster.settle();
    return call;
  }

  private Membership change(MembershipChange change) {
    var done = leader.node.changeMembership(change);
    cluster.runUntil(done::isDone);
    return value(done).value();
  }

  @Test
  void aMemberIsAddedCatchesUpIsPromotedAndRemoved() {
    submit(lease(60_000));
    Member joining = cluster.join(FOUR);
    cluster.run(5_000);
    assertEquals(0, joining.applied(), "it waits to be added");

    Membership added = change(MembershipChange.add(MemberInfo.of(FOUR)));
    assertTrue(added.learners().contains(FOUR));
    cluster.runUntil(() -> joining.applied() == leader.applied());
    assertEquals(leader.state(), joining.state());
    assertEquals(added, joining.node.membership());

    Membership promoted = change(MembershipChange.promote(FOUR));
    assertEquals(4, promoted.voters().size());
    assertFalse(promoted.isJoint());

    Membership removed = change(MembershipChange.remove(follower.id));
    assertFalse(removed.contains(follower.id));
    cluster.run(5_000);
    assertTrue(leader.node.isLeader(), "the one that was removed disturbs nobody");
  }

  @Test
  void refusalsSayWhatIsWrong() {
    var unknown = leader.node.changeMembership(MembershipChange.promote(FOUR));
    cluster.settle();
    assertEquals(Reason.IMPOSSIBLE, failure(unknown).reason());

    var first = leader.node.changeMembership(MembershipChange.add(MemberInfo.of(FOUR)));
    var second = leader.node.changeMembership(MembershipChange.remove(follower.id));
    cluster.settle();
    assertEquals(Reason.NOT_NOW, failure(second).reason());
    assertTrue(value(first).value().contains(FOUR));

    var elsewhere = follower.node.changeMembership(MembershipChange.remove(FOUR));
    assertEquals(Reason.NOT_LEADER, failure(elsewhere).reason());
  }

  @Test
  void aChangeOfALeaderThatIsCutOffHasAnUnknownOutcome() {
    cluster.isolate(leader);
    var change = leader.node.changeMembership(MembershipChange.add(MemberInfo.of(FOUR)));
    cluster.runUntil(() -> !leader.node.isLeader());
    assertEquals(Reason.OUTCOME_UNKNOWN, failure(change).reason());
  }

  @Test
  void aLeaderThatRemovesItselfAnswersAndHandsOver() {
    Membership removed = change(MembershipChange.remove(leader.id));
    assertFalse(removed.contains(leader.id));
    cluster.runUntil(() -> cluster.others(leader).stream().anyMatch(m -> m.node.isLeader()));
    cluster.run(5_000);
    assertFalse(leader.node.isLeader());
  }

  @Test
  void aMemberThatLostItsDiskIsIgnoredAndBothSidesSayWhatToDo() {
    cluster.runUntil(() -> leader.node.membership().member(follower.id).incarnation() != 0);
    submit(lease(60_000));
    List<String> warnings = new ArrayList<>();
    try (LogCapture capture = new LogCapture(RaftObserver.class, warnings::add)) {
      follower.wipe();
      cluster.run(30_000);
    }
    assertEquals(0, follower.applied());
    assertTrue(leader.node.isLeader());
    List<String> ofLeader =
        warnings.stream().filter(line -> line.startsWith("member " + leader.id)).toList();
    assertEquals(1, ofLeader.size(), "however often it speaks: " + warnings);
    assertTrue(ofLeader.get(0).contains("data directory"), ofLeader.get(0));
    List<String> ofFollower =
        warnings.stream().filter(line -> line.startsWith("member " + follower.id)).toList();
    assertEquals(1, ofFollower.size(), warnings.toString());
    assertTrue(ofFollower.get(0).contains("add it again with a new id"), ofFollower.get(0));
  }

  @Test
  void leadershipIsHandedOverToTheChosenMember() {
    long before = cluster.nowMs();
    CompletableFuture<Answered<NodeId>> transfer = leader.node.transferLeadership(follower.id);
    cluster.runUntil(transfer::isDone);
    assertEquals(follower.id, value(transfer).value());
    assertTrue(follower.node.isLeader());
    assertTrue(cluster.nowMs() - before < 200, "no timeout has to pass");
  }

  @Test
  void nothingIsProposedDuringATransferAndEverythingAfterOneThatFailed() {
    long leaseId = outcome(submit(lease(600_000)), Outcome.LeaseGranted.class).leaseId();
    long other = outcome(submit(lease(600_000)), Outcome.LeaseGranted.class).leaseId();
    submit(acquire("a", leaseId, 0));
    PendingCall waiting = submit(acquire("a", other, Command.AcquireLock.UNLIMITED));
    cluster.cut(leader, follower); // It never hears that it should take over.

    var transfer = leader.node.transferLeadership(follower.id);
    PendingCall during = submit(lease(1_000));
    var renewal = leader.node.keepAlive(List.of(leaseId));
    leader.node.cancelWait("a", waiting);
    cluster.settle();
    assertEquals(Reason.NO_LEADER, failure(during.future()).reason());
    assertEquals(Reason.NO_LEADER, failure(renewal).reason());
    assertFalse(waiting.future().isDone());

    cluster.runUntil(transfer::isDone);
    assertEquals(Reason.TRANSFER_FAILED, failure(transfer).reason());
    cluster.settle();
    assertEquals(new Outcome.WaitCancelled("a"), value(waiting.future()).value());
    outcome(submit(lease(1_000)), Outcome.LeaseGranted.class);
  }

  @Test
  void followersAnswerReadsThemselves() {
    outcome(submit(lease(60_000)), Outcome.LeaseGranted.class);
    CompletableFuture<Answered<Integer>> read = follower.node.read(MachineView::leaseCount);
    cluster.runUntil(read::isDone);
    assertEquals(1, value(read).value());
    assertEquals(leader.id, value(read).leader());
    assertEquals(leader.applied(), value(read).revision());
  }

  @Test
  void followersTellThePresentTimeWhileNothingIsApplied() {
    outcome(submit(lease(600_000)), Outcome.LeaseGranted.class);
    cluster.run(60_000);
    var here = leader.node.read(MachineView::leaseCount);
    var there = follower.node.read(MachineView::leaseCount);
    cluster.runUntil(() -> here.isDone() && there.isDone());
    long behindMs = value(here).clusterTimeMs() - value(there).clusterTimeMs();
    assertTrue(behindMs <= 100, "a heartbeat at most, not " + behindMs + " ms");
  }

  @Test
  void readsOfAFollowerThatIsCutOffFailUnlessTheyMayBeStale() {
    cluster.run(200);
    cluster.isolate(follower);
    outcome(submit(lease(60_000)), Outcome.LeaseGranted.class);
    var read = follower.node.read(MachineView::leaseCount);
    var stale = follower.node.staleRead(MachineView::leaseCount);
    cluster.settle();
    assertEquals(0, value(stale).value());
    assertFalse(read.isDone());
    cluster.runUntil(read::isDone);
    assertTrue(read.isCompletedExceptionally());
  }
}

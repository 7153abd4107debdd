// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import static dev.coordinator.server.runtime.Calls.acquire;
import static dev.coordinator.server.runtime.Calls.failure;
import static dev.coordinator.server.runtime.Calls.lease;
import static dev.coordinator.server.runtime.Calls.outcome;
import static dev.coordinator.server.runtime.Calls.release;
import static dev.coordinator.server.runtime.Calls.value;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.machine.RequestId;
import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.runtime.LoopCluster.Member;
import dev.coordinator.server.runtime.NodeException.Reason;
import dev.coordinator.server.wire.CommandCodec;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Three members: what changes hands when the leader does. */
class LoopClusterTest {

  private final LoopCluster cluster = new LoopCluster(3);

  private PendingCall submit(Member member, Command command) {
    PendingCall call = member.node.submit(command);
    cluster.settle();
    return call;
  }

  private long grantLease(Member leader, long ttlMs) {
    return outcome(submit(leader, lease(ttlMs)), Outcome.LeaseGranted.class).leaseId();
  }

  /** Cuts the leader off and waits until another one leads. */
  private Member replace(Member leader) {
    cluster.isolate(leader);
    List<Member> others = cluster.others(leader);
    cluster.runUntil(() -> others.stream().anyMatch(member -> member.node.isLeader()));
    Member next = cluster.leader();
    // Its own first entry proves which earlier ones are committed.
    cluster.settle();
    return next;
  }

  @Test
  void everyMemberAppliesTheSame() {
    Member leader = cluster.elect();
    long leaseId = grantLease(leader, 60_000);
    submit(leader, acquire("a", leaseId, 0));
    cluster.run(1_000);
    for (Member member : cluster.others(leader)) {
      assertEquals(leader.state(), member.state());
      assertEquals(leader.applied(), member.applied());
    }
  }

  @Test
  void aFollowerRefusesAtOnceAndNamesTheLeader() {
    Member leader = cluster.elect();
    Member follower = cluster.others(leader).get(0);
    for (NodeException refusal :
        List.of(
            failure(follower.node.submit(lease(1_000)).future()),
            failure(follower.node.keepAlive(List.of(1L))))) {
      assertEquals(Reason.NOT_LEADER, refusal.reason());
      assertEquals(leader.id, refusal.leader());
    }
  }

  @Test
  void followersConfirmOnlyWhatIsDurable() {
    Member leader = cluster.elect();
    List<Member> followers = cluster.others(leader);
    followers.forEach(follower -> follower.disk.held = true);
    PendingCall call = submit(leader, lease(60_000));
    cluster.run(300);
    assertFalse(call.future().isDone(), "only the leader has it on disk");

    followers.get(1).disk.release();
    cluster.settle();
    outcome(call, Outcome.LeaseGranted.class);
  }

  @Test
  void aProposalIsNotAnsweredByTheEntryThatTakesItsPlace() {
    Member old = cluster.elect();
    cluster.isolate(old);
    PendingCall lost = submit(old, lease(1_000));
    Member next = cluster.others(old).get(0);
    long term = old.term();
    Entry replacement =
        Entry.command(lost.index(), term + 1, 1_000, CommandCodec.encode(lease(7_000)));

    // That another leads, and that its entry is committed, is news of one round.
    old.mailbox.receive(
        next.loop.core().speaksAs(),
        new RaftMessage.AppendEntries(
            next.id,
            old.id,
            term + 1,
            lost.index() - 1,
            term,
            List.of(replacement),
            lost.index(),
            1,
            1_000));
    old.runOnce();

    assertEquals(lost.index(), old.applied());
    assertEquals(Reason.OUTCOME_UNKNOWN, failure(lost.future()).reason());
  }

  @Test
  void votesAreDurableBeforeTheyAreGiven() {
    for (long id = 1; id <= 3; id++) {
      cluster.member(id).disk.held = true;
    }
    cluster.run(5_000);
    for (long id = 1; id <= 3; id++) {
      assertFalse(cluster.member(id).node.isLeader(), "a candidate has not even its own vote");
    }
  }

  @Test
  void acknowledgedWorkSurvivesARestartOfEverybody() {
    Member leader = cluster.elect();
    long leaseId = grantLease(leader, 60_000);
    long token =
        outcome(submit(leader, acquire("a", leaseId, 0)), Outcome.LockAcquired.class).token();
    for (long id = 1; id <= 3; id++) {
      cluster.member(id).restart();
    }
    Member next = cluster.elect();
    var read = next.node.read(view -> view.lock("a").orElseThrow().holder().token());
    cluster.settle();
    assertEquals(token, value(read).value());
    long again = grantLease(next, 60_000);
    assertTrue(
        outcome(submit(next, acquire("b", again, 0)), Outcome.LockAcquired.class).token() > token);
  }

  @Test
  void losingTheLeadershipLeavesOutcomesUnknown() {
    Member leader = cluster.elect();
    long leaseId = grantLease(leader, 60_000);
    long other = grantLease(leader, 60_000);
    submit(leader, acquire("a", leaseId, 0));
    PendingCall waiting = submit(leader, acquire("a", other, Command.AcquireLock.UNLIMITED));

    cluster.isolate(leader);
    PendingCall proposed = submit(leader, lease(1_000));
    var read = leader.node.read(MachineView::leaseCount);
    cluster.settle();
    assertFalse(proposed.future().isDone());
    assertFalse(read.isDone(), "no quorum has confirmed the leader");

    cluster.runUntil(() -> !leader.node.isLeader());

    assertEquals(Reason.OUTCOME_UNKNOWN, failure(proposed.future()).reason());
    assertEquals(Reason.OUTCOME_UNKNOWN, failure(waiting.future()).reason());
    assertEquals(Reason.NO_LEADER, failure(read).reason(), "a read has no outcome to be unknown");
  }

  @Test
  void anIsolatedLeaderAnswersNoKeepAlive() {
    Member leader = cluster.elect();
    long leaseId = grantLease(leader, 60_000);
    cluster.isolate(leader);
    var keepAlive = leader.node.keepAlive(List.of(leaseId));
    cluster.runUntil(keepAlive::isDone);
    assertEquals(Reason.OUTCOME_UNKNOWN, failure(keepAlive).reason());
  }

  @Test
  void aRetryFindsTheOutcomeAtTheNextLeader() {
    Member leader = cluster.elect();
    long leaseId = grantLease(leader, 60_000);
    Command acquire = acquire("a", leaseId, 0, new RequestId(1, 1));
    Outcome first = value(submit(leader, acquire).future()).value();
    cluster.run(200);

    Member next = replace(leader);
    assertEquals(first, value(submit(next, acquire).future()).value());
  }

  @Test
  void aWaiterKeepsItsPlaceWhenTheLeaderChanges() {
    Member leader = cluster.elect();
    long holder = grantLease(leader, 60_000);
    long first = grantLease(leader, 60_000);
    long second = grantLease(leader, 60_000);
    long token =
        outcome(submit(leader, acquire("a", holder, 0)), Outcome.LockAcquired.class).token();
    Command firstWait = acquire("a", first, Command.AcquireLock.UNLIMITED, new RequestId(1, 1));
    submit(leader, firstWait);
    cluster.run(200);

    Member next = replace(leader);
    PendingCall later = submit(next, acquire("a", second, Command.AcquireLock.UNLIMITED));
    PendingCall retried = submit(next, firstWait);
    submit(next, release("a", holder, token));

    assertEquals(first, outcome(retried, Outcome.LockAcquired.class).leaseId());
    assertFalse(later.future().isDone());
  }

  @Test
  void leasesKeepTheirRemainingTimeWhenTheLeaderChanges() {
    Member leader = cluster.elect();
    long leaseId = grantLease(leader, 10_000);
    cluster.run(4_000);
    submit(leader, lease(60_000));

    Member next = replace(leader);
    cluster.settle();
    MachineView view = next.loop.machine().view();
    long leftMs = view.leaseDeadlineMs(leaseId) - next.loop.core().clusterTimeMs(cluster.nowMs());
    assertTrue(leftMs <= 6_000, "left: " + leftMs);
    assertTrue(leftMs > 5_000, "left: " + leftMs);

    cluster.run(leftMs + 50);
    assertEquals(0, view.leaseTtlMs(leaseId), "it has ended");
  }

  @Test
  void aPauseOfEverybodyEndsNoLease() {
    Member leader = cluster.elect();
    long leaseId = grantLease(leader, 3_000);
    cluster.pause(30_000);
    cluster.settle();
    Member present = cluster.elect();
    cluster.settle();
    assertEquals(3_000, present.loop.machine().view().leaseTtlMs(leaseId));
  }

  @Test
  void aBrokenConnectionToTheLeaderCostsLessThanATimeout() {
    Member leader = cluster.elect();
    long beforeMs = cluster.nowMs();
    leader.stop();
    cluster.others(leader).forEach(member -> member.mailbox.disconnected(leader.id));
    cluster.runUntil(
        () -> cluster.others(leader).stream().anyMatch(member -> member.node.isLeader()));
    assertTrue(cluster.nowMs() - beforeMs < 100, "took " + (cluster.nowMs() - beforeMs) + " ms");
  }

  @Test
  void countsEventsOnceInTheCluster() {
    Member leader = cluster.elect();
    long leaseId = grantLease(leader, 60_000);
    submit(leader, acquire("a", leaseId, 0));
    cluster.run(200);
    double acquired = 0;
    for (long id = 1; id <= 3; id++) {
      acquired += cluster.member(id).registry.get("coordinator.lock.acquired").counter().count();
      assertEquals(
          1, cluster.member(id).registry.get("coordinator.lock.held").gauge().value(), "on " + id);
    }
    assertEquals(1, acquired);
  }

  @Test
  void tellsHowFarFollowersLag() {
    Member leader = cluster.elect();
    Member behind = cluster.others(leader).get(0);
    cluster.cut(leader, behind);
    for (int i = 0; i < 5; i++) {
      submit(leader, lease(60_000));
    }
    cluster.run(300);
    var lag =
        leader
            .registry
            .get("coordinator.raft.replication.lag")
            .tag("peer", behind.id.toString())
            .gauge();
    var silence =
        leader
            .registry
            .get("coordinator.raft.peer.silence")
            .tag("peer", behind.id.toString())
            .gauge();
    assertEquals(5, lag.value());
    assertTrue(silence.value() >= 0.3, "silent for " + silence.value());
  }
}

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
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.MembershipChange;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftConfig;
import dev.coordinator.server.raft.RaftStatus;
import dev.coordinator.server.raft.SnapshotMeta;
import dev.coordinator.server.runtime.LoopCluster.Member;
import dev.coordinator.server.runtime.NodeException.Reason;
import dev.coordinator.server.runtime.WatchSpec.Kind;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Snapshots of members that go on with their work meanwhile. */
class NodeSnapshotTest {

  private static final int AFTER_ENTRIES = 20;
  private static final int TAIL_ENTRIES = 5;
  private static final Set<Kind> ALL = Set.of(Kind.values());

  private final LoopCluster cluster = new LoopCluster(3, settings(AFTER_ENTRIES, 1 << 20));
  private final Member leader = cluster.elect();
  private final Member follower = cluster.others(leader).get(0);
  private final long leaseId =
      outcome(submit(lease(600_000)), Outcome.LeaseGranted.class).leaseId();

  private static NodeSettings settings(long entries, long bytes) {
    RaftConfig raft =
        new RaftConfig(1_000, 100, 20, 1 << 20, 4_096, 64, 1_000, TAIL_ENTRIES, 4, 200);
    return new NodeSettings(
        raft,
        NodeLimits.DEFAULT,
        KeepAliveWindow.DEFAULT,
        WatchHistory.DEFAULT,
        new SnapshotThresholds(entries, bytes),
        5_000);
  }

  private PendingCall submit(Command command) {
    PendingCall call = leader.node.submit(command);
    cluster.settle();
    return call;
  }

  private long take(String lock) {
    return outcome(submit(acquire(lock, leaseId, 0)), Outcome.LockAcquired.class).token();
  }

  private void work(int locks) {
    for (int i = 0; i < locks; i++) {
      long token = take("work");
      submit(release("work", leaseId, token));
    }
  }

  private void assertSameEverywhere() {
    cluster.runUntil(
        () -> cluster.others(leader).stream().allMatch(m -> m.applied() == leader.applied()));
    for (Member member : cluster.others(leader)) {
      assertEquals(leader.state(), member.state());
    }
  }

  @Test
  void everyMemberTakesOneAfterEnoughEntriesAndDropsWhatItNoLongerNeeds() {
    work(3 * AFTER_ENTRIES);
    cluster.run(200);
    for (long id = 1; id <= 3; id++) {
      Member member = cluster.member(id);
      assertTrue(member.snapshots.saved.size() >= 5, "taken: " + member.snapshots.saved);
      long behind = member.applied() - member.snapshots.meta.index();
      assertTrue(behind <= AFTER_ENTRIES, "entries behind the newest: " + behind);
      RaftStatus status = member.loop.core().status();
      assertTrue(status.last() - status.base() <= AFTER_ENTRIES + TAIL_ENTRIES, status::toString);
      // A damaged one is made up for by the one before it and the log.
      List<SnapshotMeta> saved = member.snapshots.saved;
      long older = saved.get(saved.size() - 2).index();
      assertEquals(status.last() - older, member.disk.size());
    }
  }

  @Test
  void payloadCountsAsWell() {
    LoopCluster one = new LoopCluster(1, settings(1_000_000, 100));
    Member member = one.elect();
    for (int i = 0; i < 50; i++) {
      member.node.submit(lease(60_000));
      one.settle();
    }
    assertTrue(member.snapshots.saved.size() > 2, "taken: " + member.snapshots.saved);
  }

  @Test
  void commandsGoOnWhileOneIsWritten() {
    leader.snapshots.held = true;
    take("before");
    work(2 * AFTER_ENTRIES);
    assertEquals(List.of(), leader.snapshots.saved);
    long token = take("during");

    leader.snapshots.release();
    cluster.settle();

    SnapshotMeta first = leader.snapshots.saved.get(0);
    assertTrue(first.index() < token, "it is of the moment in which it was begun");
    leader.restart();
    Member next = cluster.elect();
    cluster.runUntil(() -> leader.applied() == next.applied());
    assertEquals(next.state(), leader.state(), "its log leads on from the older state");
    assertTrue(leader.state().contains("during"));
  }

  @Test
  void aMemberStartsFromItsSnapshotAndTheLogBehindIt() {
    take("kept");
    work(AFTER_ENTRIES);
    take("newer");
    cluster.run(200);
    assertTrue(follower.snapshots.meta.index() > 0);
    String before = follower.state();
    follower.restart();
    assertTrue(follower.applied() > 0, "begins with the snapshot");
    assertEquals(follower.snapshots.meta.index(), follower.applied());
    cluster.runUntil(() -> follower.applied() == leader.applied());
    assertEquals(before, follower.state());
  }

  @Test
  void aMemberFarBehindGetsOneWhileTheOthersGoOn() {
    cluster.isolate(follower);
    take("while away");
    work(3 * AFTER_ENTRIES);
    assertTrue(leader.disk.size() <= 2 * AFTER_ENTRIES);
    // The parts come one by one, with commands and further snapshots in between.
    follower.snapshots.held = true;
    cluster.heal();
    for (int i = 0; i < 10; i++) {
      cluster.run(30);
      work(1);
      follower.snapshots.release();
      follower.snapshots.held = true;
    }
    follower.snapshots.release();
    assertSameEverywhere();
    assertTrue(follower.snapshots.received.size() >= 1);
    assertEquals(
        follower.snapshots.received.size(),
        (int) follower.registry.get("coordinator.raft.snapshots.installed").counter().count());

    int received = follower.snapshots.received.size();
    follower.restart();
    assertEquals(follower.snapshots.meta.index(), follower.applied());
    assertSameEverywhere();
    assertEquals(received, follower.snapshots.received.size(), "not again");
  }

  @Test
  void oneThatIsLostIsTakenAgainForWhoeverNeedsItAlthoughNothingHappens() {
    cluster.isolate(follower);
    work(3 * AFTER_ENTRIES);
    CompletableFuture<SnapshotMeta> newest = leader.node.takeSnapshot();
    cluster.settle();
    assertEquals(leader.applied(), value(newest).index());
    leader.snapshots.lose();
    int saved = leader.snapshots.saved.size();
    cluster.heal();
    assertSameEverywhere();

    assertEquals(saved + 1, leader.snapshots.saved.size());
    assertEquals(value(newest), leader.snapshots.saved.get(saved));
    assertEquals(List.of(value(newest)), follower.snapshots.received);
  }

  @Test
  void theLogLeadsOnFromTheOneBeforeTheOneThatWasLost() {
    work(3 * AFTER_ENTRIES);
    take("at the end");
    List<SnapshotMeta> saved = leader.snapshots.saved;
    long whole = saved.get(saved.size() - 2).index();
    leader.loop.mailbox().snapshotDamaged(saved.get(saved.size() - 1).last());
    cluster.settle();
    assertEquals(leader.applied(), saved.get(saved.size() - 1).index());
    assertEquals(leader.applied() - whole, leader.disk.size());
  }

  @Test
  void oneThatIsLostIsReplacedByAnotherOfWhatIsAppliedByThen() {
    cluster.isolate(follower);
    work(3 * AFTER_ENTRIES);
    long token = take("not in the snapshot");
    SnapshotMeta newest = leader.snapshots.meta;
    assertTrue(newest.index() < token);
    leader.snapshots.lose();
    cluster.heal();
    assertSameEverywhere();
    assertTrue(follower.snapshots.received.get(0).index() >= token);
  }

  @Test
  void oneThatIsFoundDamagedWhenItIsCopiedIsTakenAgain() {
    take("a");
    CompletableFuture<SnapshotMeta> asked = leader.node.takeSnapshot();
    cluster.settle();
    leader.loop.mailbox().snapshotDamaged(value(asked).last());
    leader.loop.mailbox().snapshotDamaged(value(asked).last());
    CompletableFuture<SnapshotMeta> again = leader.node.takeSnapshot();
    cluster.settle();
    assertEquals(value(asked), value(again));
    assertEquals(List.of(value(asked), value(asked)), leader.snapshots.saved);
  }

  @Test
  void aMemberThatJoinsGetsOneAndTheEntriesAfterIt() {
    take("before it came");
    work(2 * AFTER_ENTRIES);
    NodeId four = new NodeId(4);
    Member joining = cluster.join(four);
    leader.node.changeMembership(MembershipChange.add(MemberInfo.of(four)));
    cluster.settle();
    assertSameEverywhere();
    assertEquals(1, joining.snapshots.received.size());
    assertTrue(joining.node.membership().learners().contains(four));

    joining.restart();
    assertTrue(joining.node.membership().contains(four), "its snapshot and log say so");
  }

  @Test
  void watchesThatMissEventsAreToldSo() {
    RecordedWatch missing = new RecordedWatch();
    missing.subscription = follower.node.watch(new WatchSpec("", true, ALL, 0, false), missing);
    missing.pullAll();
    take("seen");
    cluster.run(200);
    assertEquals(1, missing.revisions().size());

    cluster.isolate(follower);
    work(3 * AFTER_ENTRIES);
    cluster.heal();
    assertSameEverywhere();

    long installed = follower.snapshots.meta.index();
    CompactedException compacted =
        assertThrows(CompactedException.class, () -> missing.subscription.pull(false));
    assertTrue(compacted.oldestRevision() <= installed + 1);
    assertNull(missing.end, "whether to go on is for the watcher to decide");

    RecordedWatch again = new RecordedWatch();
    again.subscription = follower.node.watch(new WatchSpec("", true, ALL, 0, true), again);
    cluster.settle();
    long token = take("after");
    cluster.run(200);
    assertEquals(List.of(token), again.revisions());
  }

  @Test
  void whoeverAsksGetsOneOfWhatIsAppliedByThen() {
    long token = take("a");
    CompletableFuture<SnapshotMeta> asked = leader.node.takeSnapshot();
    cluster.settle();
    assertEquals(token, value(asked).index());

    CompletableFuture<SnapshotMeta> again = leader.node.takeSnapshot();
    cluster.settle();
    assertEquals(value(asked), value(again), "nothing was applied since");
    assertEquals(1, leader.snapshots.saved.size());
  }

  @Test
  void whoeverAsksWhileOneIsWrittenGetsTheNext() {
    leader.snapshots.held = true;
    CompletableFuture<SnapshotMeta> first = leader.node.takeSnapshot();
    cluster.settle();
    long token = take("a");
    CompletableFuture<SnapshotMeta> second = leader.node.takeSnapshot();
    cluster.settle();
    assertFalse(first.isDone());

    leader.snapshots.release();
    cluster.settle();
    assertTrue(value(first).index() < token);
    assertEquals(token, value(second).index());
  }

  @Test
  void aMemberThatHasAppliedNothingHasNoSnapshotToGive() {
    Member joining = cluster.join(new NodeId(4));
    CompletableFuture<SnapshotMeta> asked = joining.node.takeSnapshot();
    cluster.settle();
    assertEquals(Reason.NO_LEADER, failure(asked).reason());
  }

  @Test
  void whoeverAsksAMemberThatStopsIsTold() {
    leader.snapshots.held = true;
    CompletableFuture<SnapshotMeta> begun = leader.node.takeSnapshot();
    cluster.settle();
    CompletableFuture<SnapshotMeta> next = leader.node.takeSnapshot();
    cluster.settle();
    leader.stop();
    assertEquals(Reason.NO_LEADER, failure(begun).reason());
    assertEquals(Reason.NO_LEADER, failure(next).reason());
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import static dev.coordinator.server.runtime.Calls.acquire;
import static dev.coordinator.server.runtime.Calls.failure;
import static dev.coordinator.server.runtime.Calls.lease;
import static dev.coordinator.server.runtime.Calls.outcome;
import static dev.coordinator.server.runtime.Calls.value;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.machine.RequestId;
import dev.coordinator.server.raft.RaftConfig;
import dev.coordinator.server.runtime.NodeException.Reason;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** What a leader refuses before it proposes anything. */
class AdmissionTest {

  private static final long FOR_EVER = Command.AcquireLock.UNLIMITED;

  private static final WatchSpec ALL_WITH_STATE =
      new WatchSpec("", true, EnumSet.allOf(WatchSpec.Kind.class), 0, true);

  private LoopCluster cluster;
  private LoopCluster.Member member;

  private void limits(NodeLimits limits) {
    cluster =
        new LoopCluster(
            1,
            new NodeSettings(
                RaftConfig.DEFAULT,
                limits,
                KeepAliveWindow.DEFAULT,
                WatchHistory.DEFAULT,
                SnapshotThresholds.DEFAULT,
                5_000));
    member = cluster.elect();
  }

  private PendingCall submit(Command command) {
    PendingCall call = member.node.submit(command);
    cluster.settle();
    return call;
  }

  private long grant() {
    return outcome(submit(lease(60_000)), Outcome.LeaseGranted.class).leaseId();
  }

  private void assertRefused(CompletableFuture<?> future, Reason reason, String limit, long max) {
    NodeException refusal = failure(future);
    assertEquals(reason, refusal.reason());
    assertEquals(limit, refusal.limit());
    assertEquals(max, refusal.maximum());
    assertEquals(
        1, member.registry.get("coordinator.limit.rejected").tag("limit", limit).counter().count());
  }

  @Test
  void aRetriedGrantPassesWhereANewOneDoesNot() {
    limits(new NodeLimits(100, 100, 1, 100, 100, 100, 100));
    Command grant = new Command.GrantLease(60_000, "", "once");
    long leaseId = outcome(submit(grant), Outcome.LeaseGranted.class).leaseId();
    assertEquals(leaseId, outcome(submit(grant), Outcome.LeaseGranted.class).leaseId());
    assertRefused(submit(lease(60_000)).future(), Reason.LIMIT_REACHED, "limits.maxLeases", 1);
  }

  @Test
  void renewals() {
    limits(new NodeLimits(100, 3, 100, 100, 100, 100, 100));
    long leaseId = grant();
    var first = member.node.keepAlive(List.of(leaseId, leaseId, leaseId));
    var second = member.node.keepAlive(List.of(leaseId));
    cluster.settle();
    assertRefused(second, Reason.OVERLOADED, "limits.maxPendingCalls", 3);

    cluster.run(1_000);
    assertEquals(3, value(first).value().size());
    var third = member.node.keepAlive(List.of(leaseId));
    cluster.run(1_000);
    assertEquals(1, value(third).value().size(), "what is answered does not count");
  }

  @Test
  void leases() {
    limits(new NodeLimits(100, 100, 2, 100, 100, 100, 100));
    grant();
    grant();
    long applied = member.applied();
    assertRefused(submit(lease(1_000)).future(), Reason.LIMIT_REACHED, "limits.maxLeases", 2);
    PendingCall ownLease =
        submit(new Command.AcquireLock("a", 0, lease(1_000), "", FOR_EVER, "", RequestId.NONE));
    assertEquals(Reason.LIMIT_REACHED, failure(ownLease.future()).reason());
    assertEquals(applied, member.applied(), "nothing was proposed");
  }

  @Test
  void locks() {
    limits(new NodeLimits(100, 100, 100, 2, 100, 100, 100));
    long leaseId = grant();
    long other = grant();
    submit(acquire("a", leaseId, 0));
    submit(acquire("b", leaseId, 0));
    assertRefused(
        submit(acquire("c", leaseId, 0)).future(), Reason.LIMIT_REACHED, "limits.maxLocks", 2);
    outcome(submit(acquire("a", leaseId, 0)), Outcome.LockAcquired.class);
    assertFalse(submit(acquire("b", other, FOR_EVER)).future().isDone(), "it may wait");
  }

  @Test
  void waitersOfALock() {
    limits(new NodeLimits(100, 100, 100, 100, 1, 100, 100));
    long holder = grant();
    long first = grant();
    long second = grant();
    submit(acquire("a", holder, 0));
    submit(acquire("a", first, FOR_EVER));
    assertRefused(
        submit(acquire("a", second, FOR_EVER)).future(),
        Reason.LIMIT_REACHED,
        "limits.maxWaitersPerLock",
        1);
    outcome(submit(acquire("a", second, 0)), Outcome.LockNotAcquired.class);
    assertFalse(submit(acquire("a", first, FOR_EVER)).future().isDone(), "a retry keeps its place");
  }

  @Test
  void aRetryThatMadeItsLeaseKeepsItsPlaceInAFullQueue() {
    limits(new NodeLimits(100, 100, 100, 100, 1, 100, 100));
    submit(acquire("a", grant(), 0));
    Command.GrantLease own = new Command.GrantLease(60_000, "", "once");
    Command acquire = new Command.AcquireLock("a", 0, own, "", FOR_EVER, "", RequestId.NONE);
    assertFalse(submit(acquire).future().isDone());
    assertFalse(submit(acquire).future().isDone());
  }

  @Test
  void locksOfALease() {
    limits(new NodeLimits(100, 100, 100, 100, 100, 1, 100));
    long leaseId = grant();
    long other = grant();
    submit(acquire("a", leaseId, 0));
    assertRefused(
        submit(acquire("b", leaseId, 0)).future(),
        Reason.LIMIT_REACHED,
        "limits.maxLocksPerLease",
        1);
    outcome(submit(acquire("a", leaseId, 0)), Outcome.LockAcquired.class);
    outcome(submit(acquire("b", other, 0)), Outcome.LockAcquired.class);
  }

  @Test
  void pendingCalls() {
    limits(new NodeLimits(100, 3, 100, 100, 100, 100, 100));
    long holder = grant();
    long waiter = grant();
    submit(acquire("a", holder, 0));
    submit(acquire("a", waiter, FOR_EVER));
    member.disk.held = true;
    submit(lease(1_000));
    submit(lease(1_000));
    PendingCall third = submit(lease(1_000));
    assertFalse(third.future().isDone(), "a waiter does not count");
    assertRefused(submit(lease(1_000)).future(), Reason.OVERLOADED, "limits.maxPendingCalls", 3);
    var read = member.node.read(MachineView::leaseCount);
    cluster.settle();
    assertEquals(Reason.OVERLOADED, failure(read).reason());

    member.disk.held = false;
    member.disk.release();
    cluster.settle();
    outcome(third, Outcome.LeaseGranted.class);
    outcome(submit(lease(1_000)), Outcome.LeaseGranted.class);
  }

  @Test
  void initialStatesThatAreNotSent() {
    limits(new NodeLimits(100, 100, 100, 100, 100, 100, 3));
    long holder = grant();
    submit(acquire("a", holder, 0));
    submit(acquire("a", grant(), FOR_EVER));
    RecordedWatch unread = watchAll();
    assertNull(unread.end);
    NodeException refusal = watchAll().end;
    assertEquals(Reason.LIMIT_REACHED, refusal.reason());
    assertEquals("limits.maxInitialState", refusal.limit());
    assertEquals(3, refusal.maximum());

    unread.pullAll();
    RecordedWatch next = watchAll();
    assertNull(next.end, "the first one has sent its state");
    assertEquals(Reason.LIMIT_REACHED, watchAll().end.reason());
    next.subscription.close();
    assertNull(watchAll().end, "the one before has gone");
  }

  @Test
  void anInitialStateBeyondTheLimitIsRefused() {
    limits(new NodeLimits(100, 100, 100, 100, 100, 100, 1));
    long holder = grant();
    submit(acquire("a", holder, 0));
    member.node.watch(ALL_WITH_STATE, new RecordedWatch()).close();
    RecordedWatch fits = watchAll();
    assertNull(fits.end, "one that closed before it began holds nothing");
    fits.subscription.close();
    submit(acquire("b", holder, 0));
    assertEquals(Reason.LIMIT_REACHED, watchAll().end.reason());
    assertEquals(
        1,
        member
            .registry
            .get("coordinator.limit.rejected")
            .tag("limit", "limits.maxInitialState")
            .counter()
            .count());
  }

  private RecordedWatch watchAll() {
    RecordedWatch watch = new RecordedWatch();
    watch.subscription = member.node.watch(ALL_WITH_STATE, watch);
    cluster.settle();
    return watch;
  }

  @Test
  void queuedInputs() {
    limits(new NodeLimits(2, 100, 100, 100, 100, 100, 100));
    member.node.submit(lease(1_000));
    member.node.submit(lease(1_000));
    NodeException refusal = failure(member.node.submit(lease(1_000)).future());
    assertEquals(Reason.OVERLOADED, refusal.reason());
    assertEquals("limits.maxQueuedInputs", refusal.limit());
    cluster.settle();
    outcome(submit(lease(1_000)), Outcome.LeaseGranted.class);
  }
}

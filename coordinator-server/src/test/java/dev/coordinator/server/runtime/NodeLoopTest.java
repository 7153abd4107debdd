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
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.raft.EntryKind;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RoleKind;
import dev.coordinator.server.raft.WriteBatch;
import dev.coordinator.server.runtime.NodeException.Reason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A cluster of one member: everything but what the others have to do with. */
class NodeLoopTest {

  private final LoopCluster cluster = new LoopCluster(1);
  private final LoopCluster.Member member = cluster.member(1);

  private PendingCall submit(Command command) {
    PendingCall call = member.node.submit(command);
    cluster.settle();
    return call;
  }

  private long grantLease(long ttlMs) {
    return outcome(submit(lease(ttlMs)), Outcome.LeaseGranted.class).leaseId();
  }

  @Test
  void servesCommandsOnceItLeads() {
    PendingCall early = member.node.submit(lease(1_000));
    assertEquals(Reason.NO_LEADER, failure(early.future()).reason());

    cluster.elect();

    long leaseId = grantLease(1_000);
    PendingCall call = submit(acquire("a", leaseId, 0));
    Answered<Outcome> answer = value(call.future());
    assertEquals(new Outcome.LockAcquired("a", call.index(), leaseId, false), answer.value());
    assertEquals(new NodeId(1), answer.leader());
    assertEquals(member.term(), answer.term());
    assertEquals(call.index(), answer.revision());
  }

  @Test
  void answersOnlyWhatIsDurable() {
    cluster.elect();
    member.disk.held = true;
    PendingCall call = submit(lease(1_000));
    assertFalse(call.future().isDone());
    assertTrue(call.index() > 0, "it is proposed");

    member.disk.release();
    cluster.settle();
    outcome(call, Outcome.LeaseGranted.class);
  }

  @Test
  void putsTheCommandsOfOneRoundIntoOneBatch() {
    cluster.elect();
    int before = member.disk.batches.size();
    for (int i = 0; i < 100; i++) {
      member.node.submit(lease(1_000));
    }
    cluster.settle();
    assertEquals(before + 1, member.disk.batches.size());
    assertEquals(100, member.disk.batches.get(before).entries().size());
  }

  @Test
  void handsTheAnswersOfOneRoundOverTogether() {
    cluster.elect();
    List<Runnable> tasks = new ArrayList<>();
    member.replies = tasks::add;
    PendingCall first = member.node.submit(lease(1_000));
    PendingCall second = member.node.submit(lease(1_000));
    cluster.settle();
    assertFalse(first.future().isDone(), "never completed on the loop");
    assertEquals(1, tasks.size());

    tasks.get(0).run();
    outcome(first, Outcome.LeaseGranted.class);
    outcome(second, Outcome.LeaseGranted.class);
  }

  @Test
  void answersAWaitWithTheEntryThatFreesTheLock() {
    cluster.elect();
    long holder = grantLease(10_000);
    long waiter = grantLease(10_000);
    long token = outcome(submit(acquire("a", holder, 0)), Outcome.LockAcquired.class).token();
    PendingCall waiting = submit(acquire("a", waiter, Command.AcquireLock.UNLIMITED));
    assertFalse(waiting.future().isDone());

    PendingCall release = submit(release("a", holder, token));
    outcome(release, Outcome.LockReleased.class);
    assertEquals(
        release.index(),
        outcome(waiting, Outcome.LockAcquired.class).token(),
        "a token is granted");
  }

  @Test
  void proposesPulsesOnlyWhenSomethingIsDue() {
    cluster.elect();
    cluster.run(10_000);
    long idle = member.applied();
    cluster.run(60_000);
    assertEquals(idle, member.applied(), "nothing is due in an empty cluster");

    grantLease(5_000);
    long granted = member.applied();
    cluster.run(4_900);
    assertEquals(1, member.node.status().leases());
    cluster.run(200);
    assertEquals(0, member.node.status().leases());
    assertEquals(granted + 1, member.applied(), "one pulse");
    cluster.run(60_000);
    assertEquals(granted + 1, member.applied());
  }

  @Test
  void readsTellThePresentTimeWhileNothingIsApplied() {
    cluster.elect();
    grantLease(60_000);
    long before = value(readTime()).clusterTimeMs();
    cluster.run(2_500);
    assertEquals(before + 2_500, value(readTime()).clusterTimeMs());
  }

  private CompletableFuture<Answered<Long>> readTime() {
    CompletableFuture<Answered<Long>> read = member.node.read(MachineView::appliedIndex);
    cluster.settle();
    return read;
  }

  @Test
  void keepsOnePulseUnderWay() {
    cluster.elect();
    grantLease(1_000);
    member.disk.held = true;
    cluster.run(5_000);
    long pulses =
        member.disk.batches.stream().flatMap(batch -> batch.entries().stream()).count()
            - member.applied();
    assertEquals(1, pulses);
  }

  @Test
  void endsAWaitInTimeWithoutAnyCommand() {
    cluster.elect();
    long holder = grantLease(60_000);
    long waiter = grantLease(60_000);
    submit(acquire("a", holder, 0));
    PendingCall waiting = submit(acquire("a", waiter, 700));
    cluster.run(690);
    assertFalse(waiting.future().isDone());
    cluster.run(20);
    assertTrue(outcome(waiting, Outcome.LockNotAcquired.class).timedOut());
  }

  @Test
  void readsTheStateOfTheMomentOfTheQuestion() {
    cluster.elect();
    long leaseId = grantLease(1_000);
    CompletableFuture<Answered<Integer>> read = member.node.read(MachineView::leaseCount);
    assertFalse(read.isDone());
    cluster.settle();
    assertEquals(1, value(read).value());
    assertEquals(leaseId, value(read).revision());
  }

  @Test
  void tellsTheFaultOfAQueryToItsCallerOnly() {
    cluster.elect();
    IllegalStateException fault = new IllegalStateException("query");
    CompletableFuture<Answered<Integer>> bad =
        member.node.read(
            view -> {
              throw fault;
            });
    CompletableFuture<Answered<Integer>> good = member.node.read(MachineView::leaseCount);
    cluster.settle();
    assertSame(fault, assertThrows(Exception.class, bad::join).getCause());
    assertEquals(0, value(good).value());
  }

  @Test
  void cancelsAWait() {
    cluster.elect();
    long holder = grantLease(60_000);
    long waiter = grantLease(60_000);
    submit(acquire("a", holder, 0));
    PendingCall waiting = submit(acquire("a", waiter, Command.AcquireLock.UNLIMITED));

    member.node.cancelWait("a", waiting);
    cluster.settle();

    assertEquals(new Outcome.WaitCancelled("a"), value(waiting.future()).value());
    assertEquals(0, member.node.status().waiters());
  }

  @Test
  void doesNotProposeWhatIsCancelledBefore() {
    cluster.elect();
    long leaseId = grantLease(60_000);
    long applied = member.applied();
    PendingCall call = member.node.submit(acquire("a", leaseId, Command.AcquireLock.UNLIMITED));
    member.node.cancelWait("a", call);
    cluster.settle();
    assertEquals(new Outcome.WaitCancelled("a"), value(call.future()).value());
    assertEquals(0, call.index());
    assertEquals(applied, member.applied());
  }

  @Test
  void cancellingAnAnsweredCallDoesNothing() {
    cluster.elect();
    long leaseId = grantLease(60_000);
    PendingCall call = submit(acquire("a", leaseId, Command.AcquireLock.UNLIMITED));
    long applied = member.applied();
    member.node.cancelWait("a", call);
    cluster.settle();
    outcome(call, Outcome.LockAcquired.class);
    assertEquals(applied, member.applied());
  }

  @Test
  void stopsWhenStorageFails() {
    cluster.elect();
    PendingCall call = member.node.submit(lease(1_000));
    IOException cause = new IOException("no space left on device");
    member.mailbox.failed(cause);
    MemberFailure failure = assertThrows(MemberFailure.class, member::runOnce);
    assertSame(cause, failure.getCause());

    member.stop();
    assertEquals(Reason.OUTCOME_UNKNOWN, failure(call.future()).reason());
  }

  @Test
  void stopsWhenTheLogHoldsWhatIsNoCommand() {
    cluster.elect();
    member.loop.core().propose(new byte[] {(byte) 0xff, 1, 2}, cluster.nowMs());
    member.runOnce();
    assertThrows(IllegalArgumentException.class, cluster::settle);
  }

  @Test
  void failsEverythingWhenItStops() {
    cluster.elect();
    long leaseId = grantLease(60_000);
    long other = grantLease(60_000);
    submit(acquire("a", leaseId, 0));
    PendingCall waiting = submit(acquire("a", other, Command.AcquireLock.UNLIMITED));
    var gathered = member.node.keepAlive(List.of(leaseId));
    member.runOnce();
    PendingCall queued = member.node.submit(lease(1_000));
    var read = member.node.read(MachineView::leaseCount);

    member.stop();

    assertEquals(Reason.OUTCOME_UNKNOWN, failure(waiting.future()).reason());
    assertEquals(Reason.NO_LEADER, failure(gathered).reason());
    assertEquals(Reason.NO_LEADER, failure(queued.future()).reason());
    assertEquals(Reason.NO_LEADER, failure(read).reason());
    assertEquals(Reason.NO_LEADER, failure(member.node.submit(lease(1)).future()).reason());
    assertFalse(member.node.isLeader());
  }

  @Test
  void replaysItsLogAfterARestart() {
    cluster.elect();
    long leaseId = grantLease(60_000);
    long token = outcome(submit(acquire("a", leaseId, 0)), Outcome.LockAcquired.class).token();

    member.restart();
    cluster.elect();
    cluster.settle();

    var holder = member.loop.machine().view().lock("a").orElseThrow().holder();
    assertEquals(token, holder.token());
    assertEquals(leaseId, holder.leaseId());
    assertEquals(
        0,
        member.registry.get("coordinator.lock.acquired").counter().count(),
        "a replay counts nothing again");
  }

  @Test
  void publishesItsState() {
    assertEquals(RoleKind.FOLLOWER, member.node.status().raft().role());
    cluster.elect();
    assertEquals(RoleKind.LEADER, member.node.status().raft().role());
    grantLease(60_000);
    cluster.run(100);
    assertEquals(1, member.node.status().leases());
    assertEquals(member.applied(), member.node.status().raft().applied());
  }

  @Test
  void writesTheTermBeforeAnythingElse() {
    cluster.elect();
    WriteBatch first = member.disk.batches.get(0);
    assertEquals(1, first.hardState().term());
    assertTrue(
        member.disk.batches.stream()
            .flatMap(batch -> batch.entries().stream())
            .anyMatch(entry -> entry.kind() == EntryKind.NO_OP));
  }
}

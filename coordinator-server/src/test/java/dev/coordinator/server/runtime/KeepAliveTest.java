// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import static dev.coordinator.server.runtime.Calls.lease;
import static dev.coordinator.server.runtime.Calls.outcome;
import static dev.coordinator.server.runtime.Calls.value;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.raft.RaftConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Renewals on their way into few entries. */
class KeepAliveTest {

  private final LoopCluster cluster =
      new LoopCluster(
          1,
          new NodeSettings(
              RaftConfig.DEFAULT,
              NodeLimits.DEFAULT,
              new KeepAliveWindow(100, 20, 50),
              WatchHistory.DEFAULT,
              SnapshotThresholds.DEFAULT,
              5_000));
  private final LoopCluster.Member member = cluster.elect();

  private long grant(long ttlMs) {
    PendingCall call = member.node.submit(lease(ttlMs));
    cluster.settle();
    return outcome(call, Outcome.LeaseGranted.class).leaseId();
  }

  private CompletableFuture<Answered<List<Outcome.Renewal>>> keepAlive(long... leaseIds) {
    List<Long> ids = new ArrayList<>();
    for (long id : leaseIds) {
      ids.add(id);
    }
    return member.node.keepAlive(ids);
  }

  private static List<Long> ids(CompletableFuture<Answered<List<Outcome.Renewal>>> answer) {
    return value(answer).value().stream().map(Outcome.Renewal::leaseId).toList();
  }

  @Test
  void oneEntryCarriesTheRenewalsOfManyCallers() {
    long first = grant(10_000);
    long second = grant(10_000);
    long third = grant(10_000);
    cluster.run(1_000);
    long applied = member.applied();

    var one = keepAlive(third, first);
    var two = keepAlive(second);
    cluster.run(50);
    var three = keepAlive();
    var four = keepAlive(first);
    cluster.run(49);
    assertFalse(one.isDone(), "the window is open");
    cluster.run(1);

    assertEquals(applied + 1, member.applied());
    assertEquals(List.of(third, first), ids(one));
    assertEquals(List.of(second), ids(two));
    assertEquals(List.of(), ids(three));
    assertEquals(List.of(first), ids(four));
    assertEquals(10_000, value(two).value().get(0).ttlMs());
    assertEquals(8_900, value(two).value().get(0).slackMs());
  }

  @Test
  void theSmallestTtlSetsTheWindow() {
    long patient = grant(60_000);
    long hurried = grant(400);
    var one = keepAlive(patient);
    cluster.settle();
    var two = keepAlive(hurried);
    cluster.run(19);
    assertFalse(two.isDone());
    cluster.run(1);
    assertTrue(one.isDone() && two.isDone(), "a twentieth of the smaller TTL has passed");
  }

  @Test
  void aLeaseNearItsEndDoesNotWait() {
    long leaseId = grant(9_000);
    cluster.run(5_990);
    var early = keepAlive(leaseId);
    cluster.settle();
    assertFalse(early.isDone(), "a third of the TTL is left");
    cluster.run(100);
    assertTrue(early.isDone());

    cluster.run(6_001);
    var late = keepAlive(leaseId);
    cluster.settle();
    assertTrue(late.isDone());
  }

  @Test
  void onlyACommittedOutcomeTellsThatALeaseIsUnknown() {
    member.disk.held = true;
    var answer = keepAlive(77);
    cluster.run(200);
    assertFalse(answer.isDone());
    member.disk.release();
    cluster.settle();
    assertEquals(List.of(new Outcome.Renewal(77, false, 0, 0)), value(answer).value());
  }

  @Test
  void aFullEntryLeavesAtOnce() {
    long leaseId = grant(60_000);
    long applied = member.applied();
    List<CompletableFuture<?>> answers = new ArrayList<>();
    for (int i = 0; i < 120; i++) {
      answers.add(keepAlive(leaseId));
    }
    cluster.settle();
    assertEquals(applied + 2, member.applied());
    assertEquals(100, answers.stream().filter(CompletableFuture::isDone).count());
    cluster.run(100);
    assertEquals(applied + 3, member.applied());
    assertTrue(answers.stream().allMatch(CompletableFuture::isDone));
  }

  @Test
  void renewedLeasesLive() {
    long renewed = grant(3_000);
    long forgotten = grant(3_000);
    for (int i = 0; i < 10; i++) {
      keepAlive(renewed);
      cluster.run(1_000);
    }
    assertEquals(3_000, member.loop.machine().view().leaseTtlMs(renewed));
    assertEquals(0, member.loop.machine().view().leaseTtlMs(forgotten));
    assertEquals(10, member.registry.get("coordinator.lease.renewed").counter().count());
    assertEquals(1, member.registry.get("coordinator.lease.expired").counter().count());
    assertEquals(1, member.registry.get("coordinator.lease.active").gauge().value());
    assertEquals(10, member.registry.get("coordinator.lease.keepalive.slack").summary().count());
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import static dev.coordinator.server.runtime.Calls.acquire;
import static dev.coordinator.server.runtime.Calls.lease;
import static dev.coordinator.server.runtime.Calls.outcome;
import static dev.coordinator.server.runtime.Calls.release;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.LockView;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.runtime.LoopCluster.Member;
import dev.coordinator.server.runtime.NodeException.Reason;
import dev.coordinator.server.runtime.WatchSpec.Kind;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Watches of members in a cluster. */
class NodeWatchTest {

  private static final Set<Kind> ALL = Set.of(Kind.values());

  private final LoopCluster cluster = new LoopCluster(3);
  private final Member leader = cluster.elect();
  private final Member follower = cluster.others(leader).get(0);

  private PendingCall submit(Command command) {
    PendingCall call = leader.node.submit(command);
    cluster.settle();
    return call;
  }

  private long grant() {
    return outcome(submit(lease(60_000)), Outcome.LeaseGranted.class).leaseId();
  }

  private static RecordedWatch watch(Member member, WatchSpec spec) {
    RecordedWatch watch = new RecordedWatch();
    watch.subscription = member.node.watch(spec, watch);
    return watch;
  }

  private static List<Kind> kinds(WatchHub.Step step) {
    return step.events().stream().map(WatchEvent::kind).toList();
  }

  @Test
  void beginsWithTheStateAndGoesOnWithoutAGap() {
    long leaseId = grant();
    long token = outcome(submit(acquire("job/a", leaseId, 0)), Outcome.LockAcquired.class).token();
    submit(acquire("other", leaseId, 0));

    RecordedWatch prefix = watch(leader, new WatchSpec("job/", true, ALL, 0, true));
    RecordedWatch exact = watch(leader, new WatchSpec("job/b", false, ALL, 0, true));
    // In the same round as the watches, and thus after the state that they begin with.
    leader.node.submit(release("job/a", leaseId, token));
    leader.node.submit(acquire("job/b", leaseId, 0));
    cluster.settle();

    List<WatchHub.Step> steps = prefix.pullAll();
    assertEquals(
        List.of("job/a"), steps.get(0).initialState().stream().map(LockView::name).toList());
    assertEquals(
        List.of(Kind.RELEASED, Kind.ACQUIRED),
        steps.stream().flatMap(step -> kinds(step).stream()).toList());
    steps = exact.pullAll();
    assertEquals(List.of(), steps.get(0).initialState());
    assertEquals(
        List.of(Kind.ACQUIRED), steps.stream().flatMap(step -> kinds(step).stream()).toList());
  }

  @Test
  void aFollowerTellsTheSame() {
    RecordedWatch here = watch(leader, new WatchSpec("a", false, ALL, 0, false));
    RecordedWatch there = watch(follower, new WatchSpec("a", false, ALL, 0, false));
    long leaseId = grant();
    long token = outcome(submit(acquire("a", leaseId, 0)), Outcome.LockAcquired.class).token();
    submit(release("a", leaseId, token));
    cluster.run(200);
    List<WatchEvent> expected =
        here.pullAll().stream().flatMap(step -> step.events().stream()).toList();
    assertEquals(2, expected.size());
    assertEquals(
        expected, there.pullAll().stream().flatMap(step -> step.events().stream()).toList());
  }

  @Test
  void aRestartedMemberRebuildsTheHistory() {
    long leaseId = grant();
    PendingCall acquired = submit(acquire("a", leaseId, 0));
    follower.restart();
    cluster.run(2_000);
    RecordedWatch watch = watch(follower, new WatchSpec("a", false, ALL, 1, false));
    assertEquals(List.of(acquired.index()), watch.revisions());
  }

  @Test
  void aRestartedMemberTakesNoWatchesWhileItsStateIsOfThePast() {
    submit(acquire("a", grant(), 0));
    cluster.run(500);
    follower.restart();
    RecordedWatch early = watch(follower, new WatchSpec("", true, ALL, 0, true));
    cluster.settle();
    assertEquals(Reason.NO_LEADER, early.end.reason());
  }

  @Test
  void aMemberThatIsCutOffEndsItsWatches() {
    RecordedWatch watch = watch(follower, new WatchSpec("a", false, ALL, 0, false));
    cluster.isolate(follower);
    cluster.run(4_000);
    assertNull(watch.end, "an election may take that long");
    cluster.run(4_000);
    assertEquals(Reason.NO_LEADER, watch.end.reason());
    assertEquals(
        Reason.NO_LEADER, watch(follower, new WatchSpec("a", false, ALL, 0, false)).end.reason());

    cluster.heal();
    cluster.run(3_000);
    RecordedWatch again = watch(follower, new WatchSpec("a", false, ALL, 0, false));
    assertNull(again.end);
  }

  @Test
  void aMemberThatLostItsDiskTakesNoWatches() {
    cluster.runUntil(() -> leader.node.membership().member(follower.id).incarnation() != 0);
    submit(acquire("a", grant(), 0));
    follower.wipe();
    cluster.run(20_000);
    assertEquals(leader.id, follower.node.leader(), "it hears the leader");
    RecordedWatch watch = watch(follower, new WatchSpec("a", false, ALL, 0, true));
    cluster.settle();
    assertEquals(Reason.NO_LEADER, watch.end.reason());
  }

  @Test
  void aMemberThatStopsEndsItsWatches() {
    RecordedWatch watch = watch(follower, new WatchSpec("a", false, ALL, 0, false));
    RecordedWatch queued = watch(follower, new WatchSpec("a", false, ALL, 0, true));
    follower.stop();
    RecordedWatch late = watch(follower, new WatchSpec("a", false, ALL, 0, true));
    for (RecordedWatch ended : List.of(watch, queued, late)) {
      assertEquals(Reason.NO_LEADER, ended.end.reason());
    }
  }
}

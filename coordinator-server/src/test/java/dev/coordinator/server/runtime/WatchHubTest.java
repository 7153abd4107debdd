// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.machine.Event;
import dev.coordinator.server.metrics.WatchMetrics;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.runtime.NodeException.Reason;
import dev.coordinator.server.runtime.WatchSpec.Kind;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class WatchHubTest {

  private static final Set<Kind> ALL = Set.of(Kind.values());

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final WatchHub hub = hub(10, Long.MAX_VALUE);
  private long revision;

  private WatchHub hub(int maxEvents, long maxBytes) {
    return new WatchHub(
        new WatchHistory(maxEvents, maxBytes), Runnable::run, new WatchMetrics(registry));
  }

  private static Event acquired(String name, long token) {
    return new Event.LockAcquired(name, 1, "owner", token, "", 0);
  }

  private static Event released(String name, Event.Cause cause) {
    return new Event.LockReleased(name, 1, "owner", 1, "", cause, 0);
  }

  /** Publishes one entry that caused these events. */
  private void publish(Event... events) {
    revision++;
    for (int ordinal = 0; ordinal < events.length; ordinal++) {
      WatchEvent event = WatchEvent.of(revision, ordinal, events[ordinal]);
      if (event != null) {
        hub.append(event);
      }
    }
    hub.publish(revision);
  }

  private void publish(String name) {
    publish(acquired(name, revision + 1));
  }

  private RecordedWatch watch(WatchSpec spec) {
    RecordedWatch recorded = new RecordedWatch();
    WatchHub.Watch watch = hub.watch(spec, recorded);
    recorded.subscription = watch;
    watch.start();
    return recorded;
  }

  private RecordedWatch watchName(String name, long startRevision) {
    return watch(new WatchSpec(name, false, ALL, startRevision, false));
  }

  private RecordedWatch watchPrefix(String prefix, long startRevision) {
    return watch(new WatchSpec(prefix, true, ALL, startRevision, false));
  }

  @Test
  void tellsWhatHappensFromNowOn() {
    publish("a");
    RecordedWatch watch = watchName("a", 0);
    assertEquals(1, watch.wakeUps);
    assertEquals(new WatchHub.Step(1, List.of(), 0, List.of()), watch.subscription.pull(false));
    assertNull(watch.subscription.pull(false));

    publish("b");
    assertEquals(1, watch.wakeUps, "not concerned");
    publish("a");
    publish("a");
    assertEquals(3, watch.wakeUps);
    WatchHub.Step step = watch.subscription.pull(false);
    assertEquals(4, step.revision());
    assertEquals(List.of(3L, 4L), step.events().stream().map(WatchEvent::revision).toList());
    assertNull(watch.subscription.pull(false));
  }

  @Test
  void forgetsTheStateOfAWatchThatWasClosedAsTheHubWas() {
    RecordedWatch recorded = new RecordedWatch();
    WatchHub.Watch watch = hub.watch(new WatchSpec("", true, ALL, 0, true), recorded);
    hub.close(NodeException.notLeader(NodeId.NONE));
    watch.close();
    watch.startWith(List.of(), 5, 1, 0);
    assertEquals(0, hub.gatheredState());
  }

  @Test
  void givesTheFirstStepAlsoWhenEventsCameBefore() {
    RecordedWatch watch = watchName("a", 0);
    publish("a");
    WatchHub.Step step = watch.subscription.pull(false);
    assertEquals(1, step.revision());
    assertEquals(1, step.events().size());
  }

  @Test
  void goesBackToARevision() {
    for (String name : List.of("a", "b", "a", "a", "b")) {
      publish(name);
    }
    assertEquals(List.of(3L, 4L), watchName("a", 2).revisions());
    assertEquals(List.of(3L, 4L), watchName("a", 3).revisions());
    assertEquals(List.of(4L), watchName("a", 4).revisions());
    assertEquals(List.of(), watchName("a", 5).revisions());
    assertEquals(List.of(1L, 2L, 3L, 4L, 5L), watchPrefix("", 1).revisions());
  }

  @Test
  void splitsTheEventsOfOneRevision() {
    WatchHub large = hub(10_000, Long.MAX_VALUE);
    append(large, 1, 1, "");
    append(large, 2, 2_500, "");
    RecordedWatch watch = new RecordedWatch();
    watch.subscription = watchAll(large, 1, watch);
    List<WatchHub.Step> steps = watch.pullAll();
    assertEquals(List.of(1L, 1L, 2L), steps.stream().map(WatchHub.Step::revision).toList());
    assertEquals(2_501, steps.stream().mapToInt(step -> step.events().size()).sum());
    assertEquals(List.of(), watch.pullAll());

    // One that was cut off after the first step repeats the revision that was incomplete.
    RecordedWatch resumed = new RecordedWatch();
    resumed.subscription = watchAll(large, steps.get(0).revision() + 1, resumed);
    assertEquals(2_500, resumed.revisions().size());
  }

  @Test
  void boundsTheBytesOfAStep() {
    WatchHub large = hub(10_000, Long.MAX_VALUE);
    append(large, 1, 900, "m".repeat(1_024));
    RecordedWatch watch = new RecordedWatch();
    watch.subscription = watchAll(large, 1, watch);
    List<WatchHub.Step> steps = watch.pullAll();
    for (WatchHub.Step step : steps) {
      int bytes = step.events().stream().mapToInt(WatchEvent::weight).sum();
      assertTrue(bytes < (256 << 10) + 2_000, "bytes " + bytes);
    }
    assertEquals(900, steps.stream().mapToInt(step -> step.events().size()).sum());
  }

  private static void append(WatchHub hub, long revision, int events, String metadata) {
    for (int ordinal = 0; ordinal < events; ordinal++) {
      var event = new Event.LockAcquired("a", 1, "owner", revision, metadata, 0);
      hub.append(WatchEvent.of(revision, ordinal, event));
    }
    hub.publish(revision);
  }

  private static WatchHub.Watch watchAll(WatchHub hub, long startRevision, RecordedWatch listener) {
    WatchHub.Watch watch = hub.watch(new WatchSpec("", true, ALL, startRevision, false), listener);
    watch.start();
    return watch;
  }

  @Test
  void waitsForAFutureRevision() {
    publish("a");
    RecordedWatch watch = watchName("a", 4);
    assertEquals(3, watch.subscription.pull(false).revision(), "resume at 4");
    publish("a");
    publish("a");
    assertEquals(List.of(), watch.revisions());
    publish("a");
    assertEquals(List.of(4L), watch.revisions());
  }

  @Test
  void matchesNamesPrefixesAndKinds() {
    RecordedWatch exact = watchName("job/1", 0);
    RecordedWatch prefix = watchPrefix("job/", 0);
    RecordedWatch lost =
        watch(new WatchSpec("", true, Set.of(Kind.EXPIRED, Kind.REVOKED), 0, false));
    publish(acquired("job/1", 1));
    publish(acquired("job/11", 2));
    publish(acquired("jobs", 3));
    publish(released("job/1", Event.Cause.RELEASED));
    publish(released("job/11", Event.Cause.EXPIRED));
    publish(released("jobs", Event.Cause.REVOKED));
    publish(new Event.LeaseGranted(7, 1_000), new Event.LeaseEnded(7, Event.Cause.EXPIRED));
    assertEquals(List.of(1L, 4L), exact.revisions());
    assertEquals(List.of(1L, 2L, 4L, 5L), prefix.revisions());
    assertEquals(List.of(5L, 6L), lost.revisions());
  }

  @Test
  void ordinalsCountEveryEventOfTheEntry() {
    RecordedWatch watch = watchPrefix("", 0);
    publish(
        released("a", Event.Cause.EXPIRED),
        new Event.LeaseEnded(1, Event.Cause.EXPIRED),
        acquired("a", 1));
    List<WatchEvent> events = watch.pullAll().get(0).events();
    assertEquals(List.of(0, 2), events.stream().map(WatchEvent::ordinal).toList());
    assertEquals(
        List.of(Kind.EXPIRED, Kind.ACQUIRED), events.stream().map(WatchEvent::kind).toList());
  }

  @Test
  void tellsProgressWhenAsked() {
    RecordedWatch watch = watchName("a", 0);
    watch.pullAll();
    publish("b");
    publish();
    assertNull(watch.subscription.pull(false));
    publish("b");
    assertEquals(new WatchHub.Step(3, List.of(), 0, List.of()), watch.subscription.pull(true));
    assertNull(watch.subscription.pull(true), "the revision has not moved");
  }

  @Test
  void refusesWhatIsNoLongerKept() {
    for (int i = 0; i < 15; i++) {
      publish("a");
    }
    CompactedException compacted =
        assertThrows(CompactedException.class, () -> watchName("a", 5).subscription.pull(false));
    assertEquals(6, compacted.oldestRevision());
    assertEquals(
        LongStream.rangeClosed(6, 15).boxed().toList(),
        watchName("a", compacted.oldestRevision()).revisions());
    assertEquals(1, registry.get("coordinator.watch.compacted").counter().count());
  }

  @Test
  void neverGivesHalfARevisionThatIsPartlyLost() {
    publish(acquired("a", 1), acquired("b", 1), acquired("c", 1));
    for (int i = 0; i < 8; i++) {
      publish("a");
    }
    assertEquals(
        2,
        assertThrows(CompactedException.class, () -> watchPrefix("", 1).subscription.pull(false))
            .oldestRevision());
  }

  @Test
  void boundsItsMemoryToo() {
    WatchHub small = hub(1_000, 1_000);
    for (long index = 1; index <= 100; index++) {
      small.append(WatchEvent.of(index, 0, acquired("x".repeat(100), index)));
    }
    small.publish(100);
    RecordedWatch watch = new RecordedWatch();
    WatchHub.Watch started = small.watch(new WatchSpec("", true, ALL, 1, false), watch);
    started.start();
    CompactedException compacted =
        assertThrows(CompactedException.class, () -> started.pull(false));
    assertTrue(compacted.oldestRevision() > 90, "oldest: " + compacted.oldestRevision());
  }

  @Test
  void anEventLargerThanAllMemoryIsStillKept() {
    WatchHub small = hub(1_000, 100);
    small.append(WatchEvent.of(1, 0, acquired("x".repeat(500), 1)));
    small.publish(1);
    RecordedWatch watch = new RecordedWatch();
    WatchHub.Watch started = small.watch(new WatchSpec("", true, ALL, 1, false), watch);
    started.start();
    assertEquals(1, started.pull(false).events().size());
  }

  @Test
  void anIdleWatchNeverFallsBehind() {
    RecordedWatch watch = watchName("a", 0);
    watch.pullAll();
    for (int i = 0; i < 100; i++) {
      publish("b");
    }
    publish("a");
    assertEquals(List.of(101L), watch.revisions());
    for (int i = 0; i < 100; i++) {
      publish("b");
    }
    assertEquals(List.of(), watch.revisions());
    publish("a");
    assertEquals(List.of(202L), watch.revisions());
  }

  @Test
  void aSlowWatchFallsBehind() {
    RecordedWatch watch = watchName("a", 0);
    watch.pullAll();
    publish("a");
    for (int i = 0; i < 10; i++) {
      publish("b");
    }
    assertThrows(CompactedException.class, () -> watch.subscription.pull(false));
  }

  @Test
  void aClosedWatchIsForgotten() {
    RecordedWatch watch = watchName("a", 0);
    RecordedWatch other = watchPrefix("", 0);
    assertEquals(2, registry.get("coordinator.watch.active").gauge().value());
    watch.subscription.close();
    watch.subscription.close();
    publish("a");
    assertEquals(1, watch.wakeUps, "only the start");
    assertEquals(2, other.wakeUps);
    assertEquals(1, registry.get("coordinator.watch.active").gauge().value());
  }

  @Test
  void endsEverybodyAndThoseWhoComeUntilItOpens() {
    RecordedWatch watch = watchName("a", 0);
    RecordedWatch prefix = watchPrefix("a", 0);
    hub.close(NodeException.notLeader(NodeId.NONE));
    RecordedWatch late = watchName("a", 0);
    for (RecordedWatch ended : List.of(watch, prefix, late)) {
      assertEquals(Reason.NO_LEADER, ended.end.reason());
    }
    hub.open();
    RecordedWatch next = watchName("a", 0);
    publish("a");
    assertNull(next.end);
    assertEquals(List.of(1L), next.revisions());
  }

  @Test
  void aFaultyListenerHarmsNobodyElse() {
    WatchHub.Listener faulty =
        new WatchHub.Listener() {
          @Override
          public void ready() {
            throw new IllegalStateException("listener");
          }

          @Override
          public void ended(NodeException why) {}
        };
    hub.watch(new WatchSpec("a", false, ALL, 0, false), faulty).start();
    RecordedWatch watch = watchName("a", 0);
    publish("a");
    assertEquals(List.of(1L), watch.revisions());
  }

  @Test
  void oneTaskServesARoundHoweverManyWatch() {
    Queue<Runnable> tasks = new ArrayDeque<>();
    WatchHub queued =
        new WatchHub(
            new WatchHistory(100, Long.MAX_VALUE),
            tasks::add,
            new WatchMetrics(new SimpleMeterRegistry()));
    List<RecordedWatch> watches = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      RecordedWatch watch = new RecordedWatch();
      WatchHub.Watch started = queued.watch(new WatchSpec("a", false, ALL, 0, false), watch);
      watch.subscription = started;
      started.start();
      watches.add(watch);
    }
    assertEquals(1, tasks.size());
    tasks.remove().run();
    queued.append(WatchEvent.of(1, 0, acquired("a", 1)));
    queued.append(WatchEvent.of(2, 0, acquired("a", 2)));
    queued.publish(2);
    queued.publish(3);
    assertEquals(1, tasks.size());
    tasks.remove().run();
    for (RecordedWatch watch : watches) {
      assertEquals(2, watch.wakeUps, "the start, and both events together");
      assertEquals(List.of(1L, 2L), watch.revisions());
    }
  }

  /**
   * Watchers pull, stop and start again while events are published as fast as they can. Each must
   * see every event that concerns it once and in order, or be told that it came too late.
   */
  @Test
  @Timeout(120)
  void losesAndRepeatsNothingBetweenManyThreads() throws Exception {
    int watchers = 6;
    long last = 60_000;
    ExecutorService threads = Executors.newFixedThreadPool(watchers);
    ExecutorService dispatcher = Executors.newFixedThreadPool(2);
    WatchHub shared =
        new WatchHub(
            new WatchHistory(2_048, Long.MAX_VALUE),
            dispatcher,
            new WatchMetrics(new SimpleMeterRegistry()));
    try {
      List<Future<Long>> seen = new ArrayList<>();
      for (int i = 0; i < watchers; i++) {
        // Two watch each of the names and two everything.
        String name = i % 3 == 2 ? "" : "n" + i % 3;
        long seed = i;
        seen.add(threads.submit(() -> follow(shared, name, last, seed)));
      }
      SplittableRandom random = new SplittableRandom(7);
      for (long index = 1; index <= last; index++) {
        // The last entry concerns everybody, so that everybody comes to an end.
        if (index == last || index % 3 == 0) {
          shared.append(WatchEvent.of(index, 0, acquired("n0", index)));
        }
        if (index == last || index % 5 == 0) {
          shared.append(WatchEvent.of(index, 1, acquired("n1", index)));
        }
        if (random.nextInt(4) == 0 || index == last) {
          shared.publish(index);
        }
      }
      long events = 0;
      for (Future<Long> result : seen) {
        events += result.get(60, TimeUnit.SECONDS);
      }
      assertTrue(events >= watchers, "everybody saw the end at least");
    } finally {
      threads.shutdownNow();
      dispatcher.shutdownNow();
      assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS));
      assertTrue(dispatcher.awaitTermination(10, TimeUnit.SECONDS));
    }
  }

  /** Follows up to revision {@code last}; returns how many events it saw. */
  private static long follow(WatchHub hub, String name, long last, long seed) throws Exception {
    SplittableRandom random = new SplittableRandom(seed);
    long covered = 0;
    long seen = 0;
    while (covered < last) {
      Semaphore wakeUps = new Semaphore(0);
      WatchHub.Listener listener =
          new WatchHub.Listener() {
            @Override
            public void ready() {
              wakeUps.release();
            }

            @Override
            public void ended(NodeException why) {
              throw new AssertionError(why);
            }
          };
      WatchHub.Watch watch =
          hub.watch(new WatchSpec(name, name.isEmpty(), ALL, covered + 1, false), listener);
      watch.start();
      int stepsUntilRestart = random.nextInt(50) + 1;
      try {
        while (covered < last && stepsUntilRestart > 0) {
          // A wake-up that got lost would end in the test's timeout.
          wakeUps.acquire();
          for (WatchHub.Step step = watch.pull(random.nextBoolean());
              step != null;
              step = watch.pull(random.nextBoolean())) {
            seen += check(step, name, covered);
            covered = step.revision();
            stepsUntilRestart--;
          }
        }
      } catch (CompactedException tooLate) {
        assertTrue(tooLate.oldestRevision() > covered + 1);
        covered = tooLate.oldestRevision() - 1;
      } finally {
        watch.close();
      }
    }
    return seen;
  }

  /** The step must hold exactly what was published between the covered revision and its own. */
  private static long check(WatchHub.Step step, String name, long covered) {
    assertTrue(step.revision() >= covered, "the revision falls");
    List<String> expected = new ArrayList<>();
    for (long index = covered + 1; index <= step.revision(); index++) {
      if (index % 3 == 0 && "n0".startsWith(name) || index == 60_000 && !name.equals("n1")) {
        expected.add(index + "/n0");
      }
      if (index % 5 == 0 && "n1".startsWith(name)) {
        expected.add(index + "/n1");
      }
    }
    assertEquals(
        expected,
        step.events().stream().map(event -> event.revision() + "/" + event.name()).toList());
    return step.events().size();
  }

  @Test
  void aListenerMayPullAsSoonAsItIsTold() {
    List<Long> pulled = new ArrayList<>();
    RecordedWatch watch =
        new RecordedWatch() {
          @Override
          public void ready() {
            pulled.addAll(revisions());
          }
        };
    WatchHub.Watch started = hub.watch(new WatchSpec("a", false, ALL, 0, false), watch);
    watch.subscription = started;
    started.start();
    publish("a");
    publish("b");
    publish("a");
    assertEquals(List.of(1L, 3L), pulled);
  }

  @Test
  void pullsNothingBeforeItHasStarted() {
    WatchHub.Watch watch = hub.watch(new WatchSpec("a", false, ALL, 0, true), new RecordedWatch());
    publish("a");
    assertNull(watch.pull(true));
    watch.startWith(List.of(), 0, 1, 0);
    assertNotNull(watch.pull(false));
    assertFalse(watch.pull(true) != null);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.v1.ErrorReason;
import dev.coordinator.v1.WatchRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WatchTest {

  private static final class Recorder implements WatchListener {
    final Queue<List<LockInfo>> states = new ConcurrentLinkedQueue<>();
    final Queue<LockEvent> events = new ConcurrentLinkedQueue<>();
    final Queue<Long> gaps = new ConcurrentLinkedQueue<>();
    final Queue<CoordinatorException> errors = new ConcurrentLinkedQueue<>();

    @Override
    public void onState(List<LockInfo> locks, long revision) {
      states.add(locks);
    }

    @Override
    public void onEvent(LockEvent event) {
      events.add(event);
    }

    @Override
    public void onGap(long oldestRevision) {
      gaps.add(oldestRevision);
    }

    @Override
    public void onError(CoordinatorException failure) {
      errors.add(failure);
    }
  }

  private final FakeCluster cluster = new FakeCluster(3);
  private final Recorder recorder = new Recorder();
  private CoordinatorClient client;
  private Session session;

  @BeforeEach
  void connect() {
    client = cluster.client().build();
    session = client.newSession(Duration.ofSeconds(60));
  }

  @AfterEach
  void stop() {
    client.close();
    cluster.close();
  }

  private void publish() {
    publish(Integer.MAX_VALUE);
  }

  private void publish(int most) {
    for (int member = 1; member <= 3; member++) {
      cluster.member(member).publish(most);
    }
  }

  private void endWatches() {
    for (int member = 1; member <= 3; member++) {
      cluster.member(member).endWatches();
    }
  }

  private int watchers() {
    int watchers = 0;
    for (int member = 1; member <= 3; member++) {
      watchers += cluster.member(member).watchers();
    }
    return watchers;
  }

  private List<Long> revisionsSeen() {
    return recorder.events.stream().map(LockEvent::revision).toList();
  }

  private List<Long> revisionsSince(int skipped) {
    return cluster.state().events().stream()
        .skip(skipped)
        .map(dev.coordinator.v1.LockEvent::getRevision)
        .toList();
  }

  private void takeAndGiveBack(String name) throws Exception {
    session.lock(name).acquire().close();
  }

  @Test
  void theStateComesFirstThenTheEvents() throws Exception {
    HeldLock held = session.lock("a").withMetadata("here").acquire();
    try (Watch watch = client.watchLock("a", recorder)) {
      Eventually.until("state", () -> recorder.states.size() == 1 && watchers() == 1);
      LockInfo lock = recorder.states.peek().get(0);
      assertEquals(held.token(), lock.holder().orElseThrow().token());
      assertEquals("here", lock.holder().orElseThrow().metadata());
      held.close();
      publish();
      Eventually.until("event", () -> recorder.events.size() == 1);
      LockEvent event = recorder.events.peek();
      assertEquals(LockEvent.Kind.RELEASED, event.kind());
      assertEquals(held.token(), event.token());
    }
    Eventually.until(
        "closed for good",
        () -> {
          takeAndGiveBack("a");
          publish();
          return recorder.events.size() == 1;
        });
  }

  @Test
  void nothingIsMissedOrRepeatedOverReconnections() throws Exception {
    try (Watch watch = client.watchPrefix("", recorder)) {
      Eventually.until("watching", () -> recorder.states.size() == 1 && watchers() == 1);
      for (int round = 0; round < 5; round++) {
        takeAndGiveBack("a" + round);
        publish();
        endWatches();
        // Happens while nobody watches.
        takeAndGiveBack("b" + round);
        Eventually.until("watching again", () -> watchers() == 1);
        publish();
      }
      List<Long> happened = revisionsSince(0);
      Eventually.until("all seen", () -> recorder.events.size() >= happened.size());
      assertEquals(happened, revisionsSeen());
      assertEquals(1, recorder.states.size());
    }
  }

  @Test
  void aWatchGoesOnAtAnotherMemberWhenItsOwnIsKilledOrFrozen() throws Exception {
    try (Watch watch = client.watchPrefix("", recorder)) {
      Eventually.until("watching", () -> recorder.states.size() == 1 && watchers() == 1);
      int first = cluster.membersAsked(WatchRequest.class).get(0);
      cluster.elect(first == 1 ? 2 : 1);
      cluster.member(first).kill();
      takeAndGiveBack("a");
      Eventually.until("at another", () -> watchers() == 1);
      publish();
      Eventually.until("seen", () -> recorder.events.size() == 2);

      List<Integer> asked = cluster.membersAsked(WatchRequest.class);
      int second = asked.get(asked.size() - 1);
      cluster.elect(6 - first - second);
      cluster.member(second).freeze();
      takeAndGiveBack("b");
      Eventually.until(
          "at the third",
          () -> {
            publish();
            return recorder.events.size() == 4;
          });
      assertEquals(revisionsSince(0), revisionsSeen());
    }
  }

  @Test
  void aGapIsToldAndAFreshStateFollows() throws Exception {
    try (Watch watch = client.watchPrefix("", recorder)) {
      Eventually.until("watching", () -> recorder.states.size() == 1 && watchers() == 1);
      HeldLock held = session.lock("a").acquire();
      cluster.state().compact();
      endWatches();
      Eventually.until("fresh state", () -> recorder.states.size() == 2);
      assertEquals(List.of(cluster.state().oldestRevision()), List.copyOf(recorder.gaps));
      assertEquals(1, List.copyOf(recorder.states).get(1).size());
      Eventually.until("watching again", () -> watchers() == 1);
      held.close();
      publish();
      Eventually.until("event", () -> recorder.events.size() == 1);
    }
  }

  @Test
  void aListenerThatThrowsMissesNothing() throws Exception {
    List<Long> seen = new ArrayList<>();
    WatchListener faulty =
        event -> {
          synchronized (seen) {
            seen.add(event.revision());
          }
          throw new AssertionError("planned by the test");
        };
    try (Watch watch = client.watchPrefix("", faulty)) {
      Eventually.until("watching", () -> watchers() == 1);
      takeAndGiveBack("a");
      publish();
      Eventually.until(
          "both seen",
          () -> {
            synchronized (seen) {
              return seen.size() == 2;
            }
          });
    }
  }

  @Test
  void aStreamThatBreaksWithinARevisionIsResumedThere() throws Exception {
    Session other = client.newSession(Duration.ofSeconds(60));
    for (int i = 0; i < 4; i++) {
      other.lock("a" + i).acquire();
    }
    try (Watch watch = client.watchPrefix("", recorder)) {
      Eventually.until("watching", () -> recorder.states.size() == 1 && watchers() == 1);
      List<LockEvent> before = List.copyOf(recorder.events);
      assertEquals(List.of(), before);
      // All its locks go in one step, so the events are of one revision.
      other.close();
      publish(1);
      publish(1);
      Eventually.until("half of them seen", () -> recorder.events.size() == 2);
      endWatches();
      Eventually.until("the rest seen", () -> recorder.events.size() >= 4);
      takeAndGiveBack("b");
      publish();
      Eventually.until("later ones seen", () -> revisionsSeen().size() >= 6);
      assertEquals(
          List.of(0, 1, 2, 3, 0, 0), recorder.events.stream().map(LockEvent::ordinal).toList());
      assertEquals(1, revisionsSeen().stream().limit(4).distinct().count());
    }
  }

  @Test
  void aMemberWithoutRoomForAnotherWatchIsLeft() throws Exception {
    try (Watch watch = client.watchPrefix("", recorder)) {
      Eventually.until("watching", () -> recorder.states.size() == 1 && watchers() == 1);
      cluster.refuseNextWatch(FakeError.of(ErrorReason.ERROR_REASON_LIMIT_REACHED));
      cluster.refuseNextWatch(FakeError.of(ErrorReason.ERROR_REASON_LIMIT_REACHED));
      endWatches();
      takeAndGiveBack("a");
      Eventually.until("watching again", () -> watchers() == 1);
      publish();
      Eventually.until("seen", () -> recorder.events.size() == 2);
      List<Integer> asked = cluster.membersAsked(WatchRequest.class);
      assertEquals(4, asked.size());
      assertNotEquals(asked.get(1), asked.get(2));
      assertTrue(recorder.errors.isEmpty());
    }
  }

  @Test
  void aRefusedWatchSaysSoAndEnds() throws Exception {
    cluster.refuseNextWatch(FakeError.of(ErrorReason.ERROR_REASON_INVALID_FIELD, "field", "name"));
    try (Watch watch = client.watchLock("//", recorder)) {
      Eventually.until("refused", () -> recorder.errors.size() == 1);
      assertEquals("name", recorder.errors.peek().details().get("field"));
      assertTrue(recorder.states.isEmpty());
    }
  }
}

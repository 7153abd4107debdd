// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.client.ManualTime;
import dev.coordinator.client.SessionEvent;
import dev.coordinator.client.SessionEvent.Cause;
import dev.coordinator.client.SessionEvent.Kind;
import dev.coordinator.client.SessionState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LeaseMonitorTest {

  private static final Duration TTL = Duration.ofSeconds(3);

  private final ManualTime time = new ManualTime();
  private final List<SessionEvent> events = new ArrayList<>();

  private LeaseMonitor monitor(double driftMargin) {
    return new LeaseMonitor(time, time.nanoTime(), TTL, driftMargin, events::add);
  }

  private List<Kind> kinds() {
    return events.stream().map(SessionEvent::kind).toList();
  }

  private void pass(long millis) {
    time.advance(Duration.ofMillis(millis));
  }

  private static long millis(long nanos) {
    return Duration.ofNanos(nanos).toMillis();
  }

  @Test
  void theDeadlineCountsFromTheSendTimeNotFromTheAnswer() {
    LeaseMonitor monitor = monitor(0);
    pass(1_000);
    long sentAt = time.nanoTime();
    pass(900);
    monitor.renewed(sentAt, TTL);
    assertEquals(2_100, millis(monitor.remainingNanos()));
    pass(2_099);
    assertEquals(SessionState.JEOPARDY, monitor.state());
    pass(1);
    assertEquals(SessionState.EXPIRED, monitor.state());
  }

  @Test
  void theDriftMarginIsGivenAway() {
    LeaseMonitor monitor = monitor(0.1);
    assertEquals(2_700, millis(monitor.remainingNanos()));
    pass(2_700);
    assertEquals(SessionState.EXPIRED, monitor.state());
  }

  @Test
  void twoThirdsWithoutAnAnswerAreJeopardyAndAnAnswerMakesSafe() {
    LeaseMonitor monitor = monitor(0);
    pass(1_999);
    assertEquals(SessionState.CONNECTED, monitor.state());
    pass(1);
    assertEquals(SessionState.JEOPARDY, monitor.state());
    assertEquals(List.of(Kind.JEOPARDY), kinds());
    monitor.renewed(time.nanoTime(), TTL);
    assertEquals(SessionState.CONNECTED, monitor.state());
    assertEquals(List.of(Kind.JEOPARDY, Kind.SAFE), kinds());
    pass(3_000);
    assertEquals(SessionState.EXPIRED, monitor.state());
    assertEquals(List.of(Kind.JEOPARDY, Kind.SAFE, Kind.EXPIRED), kinds());
  }

  @Test
  void anAnswerToAnOldRenewalDoesNotEndJeopardy() {
    LeaseMonitor monitor = monitor(0);
    long sentAt = time.nanoTime();
    pass(2_500);
    monitor.renewed(sentAt, TTL);
    assertEquals(SessionState.JEOPARDY, monitor.state());
    assertEquals(500, millis(monitor.remainingNanos()));
  }

  @Test
  void anAnswerOutOfOrderNeverShortensTheDeadline() {
    LeaseMonitor monitor = monitor(0);
    long early = time.nanoTime();
    pass(1_000);
    monitor.renewed(time.nanoTime(), TTL);
    monitor.renewed(early, TTL);
    assertEquals(3_000, millis(monitor.remainingNanos()));
  }

  @Test
  void aProcessThatWasPausedSeesItAtTheFirstLook() {
    LeaseMonitor monitor = monitor(0);
    pass(60_000);
    assertEquals(0, monitor.remainingNanos());
    assertEquals(SessionState.EXPIRED, monitor.state());
    assertEquals(List.of(Kind.EXPIRED), kinds());
    assertEquals(Cause.NO_ANSWER, events.get(0).cause());
  }

  @Test
  void anAnswerThatIsReadAfterTheDeadlineDoesNotRevive() {
    LeaseMonitor monitor = monitor(0);
    pass(2_900);
    long sentAt = time.nanoTime();
    pass(100);
    monitor.renewed(sentAt, TTL);
    assertEquals(SessionState.EXPIRED, monitor.state());
    assertEquals(List.of(Kind.EXPIRED), kinds());
  }

  @Test
  void theEndComesOnce() {
    LeaseMonitor monitor = monitor(0);
    monitor.end(Cause.ENDED_BY_CLUSTER, "ended");
    monitor.end(Cause.CLOSED, "closed");
    monitor.renewed(time.nanoTime(), TTL);
    pass(5_000);
    assertEquals(SessionState.EXPIRED, monitor.state());
    assertEquals(List.of(new SessionEvent(Kind.EXPIRED, Cause.ENDED_BY_CLUSTER, "ended")), events);
  }

  @Test
  void itTellsWhenToLookAgain() {
    LeaseMonitor monitor = monitor(0);
    assertEquals(2_000, millis(monitor.nextChangeNanos()));
    pass(2_000);
    assertEquals(SessionState.JEOPARDY, monitor.state());
    assertEquals(1_000, millis(monitor.nextChangeNanos()));
    pass(5_000);
    assertTrue(monitor.nextChangeNanos() == 0);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.v1.RequestId;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class RequestNumbersTest {

  /** What the cluster remembers of a lease. */
  private static final int REMEMBERED = 1_024;

  private final RequestNumbers numbers = new RequestNumbers();
  private final Deque<RequestId> sent = new ArrayDeque<>();

  private RequestId take() {
    numbers.take(sent::add);
    return sent.getLast();
  }

  private RequestId takeToWait(Runnable renumber) {
    numbers.takeToWait(sent::add, renumber);
    return sent.getLast();
  }

  @Test
  void numbersRiseFromOne() {
    assertEquals(1, take().getNumber());
    assertEquals(2, take().getNumber());
  }

  @Test
  void nothingIsAcknowledgedWhileTheFirstIsOutstanding() {
    RequestId first = take();
    RequestId second = take();
    numbers.answered(second);
    assertEquals(first.getNumber(), take().getAcknowledgedBelow());
  }

  @Test
  void aRequestAcknowledgesAllBeforeTheLowestOutstanding() {
    RequestId first = take();
    RequestId second = take();
    RequestId third = take();
    numbers.answered(first);
    numbers.answered(third);
    assertEquals(second.getNumber(), take().getAcknowledgedBelow());
  }

  @Test
  void withNothingOutstandingARequestAcknowledgesUpToItself() {
    numbers.answered(take());
    RequestId id = take();
    assertEquals(id.getNumber(), id.getAcknowledgedBelow());
  }

  @Test
  void aRequestThatManyOvertakeIsAskedOnceToContinueUnderAFreshNumber() {
    AtomicInteger asked = new AtomicInteger();
    takeToWait(asked::incrementAndGet);
    for (int i = 1; i < RequestNumbers.RENUMBER_SPAN; i++) {
      numbers.answered(take());
    }
    assertEquals(0, asked.get());
    take();
    take();
    assertEquals(1, asked.get());
  }

  @Test
  void moreThanTheWindowWaitTheirTurn() {
    RequestId first = take();
    for (int i = 1; i < RequestNumbers.WINDOW + 2; i++) {
      take();
    }
    assertEquals(RequestNumbers.WINDOW, sent.size());
    numbers.answered(first);
    assertEquals(RequestNumbers.WINDOW + 1, sent.size());
    // Given up already, and now answered after all.
    numbers.answered(first);
    assertEquals(RequestNumbers.WINDOW + 1, sent.size());
  }

  @Test
  void noRequestGoesFurtherThanTheClusterRemembers() {
    AtomicInteger asked = new AtomicInteger();
    for (int i = 0; i < RequestNumbers.MAX_WAITS; i++) {
      takeToWait(asked::incrementAndGet);
    }
    // Everything is answered but what waits.
    for (int i = 0; i < REMEMBERED; i++) {
      numbers.take(
          id -> {
            sent.add(id);
            numbers.answered(id);
          });
    }
    assertEquals(RequestNumbers.MAX_SPAN, sent.getLast().getNumber());
    assertEquals(RequestNumbers.MAX_WAITS, asked.get());
    for (int i = 0; i < RequestNumbers.MAX_WAITS; i++) {
      sent.add(numbers.renumber(asked::incrementAndGet));
    }
    assertEquals(REMEMBERED, sent.getLast().getNumber());
    assertEquals(RequestNumbers.MAX_WAITS, asked.get());
    int before = sent.size();
    // What waited first continued under a fresh number, and is answered under the old one.
    numbers.answered(sent.getFirst());
    assertEquals(before, sent.size());
    for (int number = 2; number <= RequestNumbers.MAX_WAITS; number++) {
      numbers.answered(RequestId.newBuilder().setNumber(number).build());
    }
    assertTrue(sent.size() > before);
  }

  @Test
  void anyNumberOfRequestsMayFailWhileTheyAreSent() {
    for (int i = 0; i < RequestNumbers.WINDOW; i++) {
      take();
    }
    AtomicInteger failed = new AtomicInteger();
    for (int i = 0; i < 10_000; i++) {
      numbers.take(
          id -> {
            failed.incrementAndGet();
            numbers.answered(id);
          });
    }
    assertEquals(0, failed.get());
    List.copyOf(sent).forEach(numbers::answered);
    assertEquals(10_000, failed.get());
  }
}

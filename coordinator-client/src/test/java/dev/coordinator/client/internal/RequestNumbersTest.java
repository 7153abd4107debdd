// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.coordinator.v1.RequestId;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class RequestNumbersTest {

  private final RequestNumbers numbers = new RequestNumbers();

  @Test
  void numbersRiseFromOne() {
    assertEquals(1, numbers.next().getNumber());
    assertEquals(2, numbers.next().getNumber());
  }

  @Test
  void nothingIsAcknowledgedWhileTheFirstIsOutstanding() {
    RequestId first = numbers.next();
    RequestId second = numbers.next();
    numbers.answered(second);
    assertEquals(first.getNumber(), numbers.next().getAcknowledgedBelow());
  }

  @Test
  void aRequestAcknowledgesAllBeforeTheLowestOutstanding() {
    RequestId first = numbers.next();
    RequestId second = numbers.next();
    RequestId third = numbers.next();
    numbers.answered(first);
    numbers.answered(third);
    assertEquals(second.getNumber(), numbers.next().getAcknowledgedBelow());
  }

  @Test
  void withNothingOutstandingARequestAcknowledgesUpToItself() {
    numbers.answered(numbers.next());
    RequestId id = numbers.next();
    assertEquals(id.getNumber(), id.getAcknowledgedBelow());
  }

  @Test
  void aRequestThatManyOvertakeIsAskedOnceToContinueUnderAFreshNumber() {
    AtomicInteger asked = new AtomicInteger();
    numbers.next(asked::incrementAndGet);
    for (int i = 1; i < RequestNumbers.MAX_SPAN; i++) {
      numbers.answered(numbers.next());
    }
    assertEquals(0, asked.get());
    numbers.next();
    numbers.next();
    assertEquals(1, asked.get());
  }
}

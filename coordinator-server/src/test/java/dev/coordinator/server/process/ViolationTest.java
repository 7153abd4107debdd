// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.coordinator.server.history.Action;
import dev.coordinator.server.history.Operation;
import dev.coordinator.server.history.Result;
import java.util.List;
import org.junit.jupiter.api.Test;

class ViolationTest {

  @Test
  void tellsTheHistoryInTheOrderOfTime() {
    Action read = new Action.Read();
    Violation violation =
        new Violation(
            "no order explains it",
            List.of(
                new Operation("two", read, new Result.Unknown(), 7_500_000, Operation.OPEN),
                new Operation("one", read, new Result.Seen(null), 5_000_000, 9_250_000)));
    assertEquals(
        List.of(
            "       0.000        4.250  one: " + read + " -> " + new Result.Seen(null),
            "       2.500            -  two: " + read + " -> " + new Result.Unknown()),
        violation.historyLines());
    assertEquals("no order explains it", violation.getMessage());
  }
}

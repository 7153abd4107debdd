// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import dev.coordinator.server.history.Operation;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** A promise that the cluster did not keep. */
final class Violation extends AssertionError {

  private static final long serialVersionUID = 1L;

  /** What clients did to the lock that it is about, if it is about one. */
  private final transient List<Operation> history;

  Violation(String format, Object... arguments) {
    super(arguments.length == 0 ? format : format.formatted(arguments));
    history = List.of();
  }

  Violation(String why, List<Operation> history) {
    super(why);
    this.history = history;
  }

  /** The history in the order of its beginnings, in milliseconds from the first on. */
  List<String> historyLines() {
    long firstNanos = history.stream().mapToLong(Operation::invokedNanos).min().orElse(0);
    return history.stream()
        .sorted(Comparator.comparingLong(Operation::invokedNanos))
        .map(
            operation ->
                String.format(
                    Locale.ROOT,
                    "%12s %12s  %s",
                    ms(operation.invokedNanos() - firstNanos),
                    operation.isOpen() ? "-" : ms(operation.returnedNanos() - firstNanos),
                    operation))
        .toList();
  }

  private static String ms(long nanos) {
    return String.format(Locale.ROOT, "%.3f", nanos / 1e6);
  }
}

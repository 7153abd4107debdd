// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.history;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Tells people why a history is wrong: the operation that does not fit, and those around it. */
final class Explanation {

  private static final int SHOWN_BEFORE = 12;
  private static final int SHOWN_PENDING = 12;
  private static final int SHOWN_STATES = 5;

  private Explanation() {}

  static String doesNotFit(
      String lock, List<Operation> operations, Operation stuck, Collection<LockState> states) {
    return "lock "
        + lock
        + ": no order explains\n"
        + line(operations, stuck, "  > ")
        + "just before it the lock was\n"
        + states.stream()
            .distinct()
            .limit(SHOWN_STATES)
            .map(state -> "  " + state + "\n")
            .collect(Collectors.joining("  or "))
        + around(operations, stuck);
  }

  static String tooEarly(String lock, List<Operation> operations, Operation early) {
    return "lock "
        + lock
        + ": ended before it may\n"
        + line(operations, early, "  > ")
        + around(operations, early);
  }

  private static String around(List<Operation> operations, Operation stuck) {
    long atNanos = stuck.returnedNanos();
    List<Operation> before =
        operations.stream()
            .filter(operation -> operation.returnedNanos() < atNanos)
            .sorted(Comparator.comparingLong(Operation::returnedNanos).reversed())
            .limit(SHOWN_BEFORE)
            .toList();
    List<Operation> pending =
        operations.stream()
            .filter(operation -> operation.returnedNanos() >= atNanos)
            .filter(operation -> operation.invokedNanos() <= atNanos)
            .sorted(Comparator.comparingLong(Operation::invokedNanos).reversed())
            .limit(SHOWN_PENDING)
            .toList();
    return Stream.concat(before.stream(), pending.stream())
        .sorted(Comparator.comparingLong(Operation::invokedNanos))
        .map(operation -> line(operations, operation, operation.equals(stuck) ? "  > " : "    "))
        .collect(
            Collectors.joining("", "the operations around it, in ms from the first one\n", ""));
  }

  private static String line(List<Operation> operations, Operation operation, String mark) {
    long zeroNanos =
        operations.stream()
            .filter(any -> !(any.action() instanceof Action.EndLease))
            .mapToLong(Operation::invokedNanos)
            .min()
            .orElse(0);
    return String.format(
        "%s[%s .. %s] %s%n",
        mark,
        moment(operation.invokedNanos(), zeroNanos),
        moment(operation.returnedNanos(), zeroNanos),
        operation);
  }

  private static String moment(long nanos, long zeroNanos) {
    if (nanos == Operation.OPEN || nanos == Long.MIN_VALUE) {
      return "         -";
    }
    return String.format("%10.3f", (nanos - zeroNanos) / 1e6);
  }
}

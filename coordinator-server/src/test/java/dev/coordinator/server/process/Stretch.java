// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import dev.coordinator.server.history.Action;
import dev.coordinator.server.history.LinearizabilityChecker;
import dev.coordinator.server.history.Operation;
import dev.coordinator.server.history.Result;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A stretch of a run, with locks of its own: what was done to them is kept until the end of the
 * stretch and then checked. Thread-safe.
 */
final class Stretch {

  private static final int MOST_UNKNOWN = 4;

  private final List<String> names;
  private final Map<String, ConcurrentLinkedQueue<Operation>> operations = new LinkedHashMap<>();
  private final Map<String, GuardedRegister> registers = new LinkedHashMap<>();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private final AtomicLong acquisitions = new AtomicLong();
  private volatile boolean over;

  Stretch(String prefix, int locks) {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < locks; i++) {
      String name = prefix + "/lock-" + i;
      all.add(name);
      operations.put(name, new ConcurrentLinkedQueue<>());
      registers.put(name, new GuardedRegister(true));
    }
    names = List.copyOf(all);
  }

  List<String> names() {
    return names;
  }

  /**
   * A label that no other acquisition of the stretch has. Readers see it as the hold's metadata, so
   * a hold can be told apart even if whoever took it never got an answer.
   */
  String nextAcquisition() {
    return "acquisition-" + acquisitions.incrementAndGet();
  }

  GuardedRegister register(String name) {
    return registers.get(name);
  }

  void record(String name, Operation operation) {
    operations.get(name).add(operation);
  }

  /** Ends the stretch with the first failure of a client. */
  void fail(Throwable cause) {
    failure.compareAndSet(null, cause);
    over = true;
  }

  void requireNoFailure() {
    Throwable cause = failure.get();
    if (cause instanceof Violation violation) {
      throw violation;
    }
    if (cause != null) {
      throw new IllegalStateException("a client failed", cause);
    }
  }

  /** Clients end what they are at and then stop. */
  void end() {
    over = true;
  }

  boolean isOver() {
    return over;
  }

  /** Once all clients have stopped: checks everything that was promised. */
  void check() {
    requireNoFailure();
    for (String name : names) {
      long lost = registers.get(name).lostWrites();
      if (lost != 0) {
        throw new Violation("the register behind %s lost %d acknowledged writes", name, lost);
      }
      List<Operation> history = decidable(operations.get(name));
      LinearizabilityChecker.violation(name, history)
          .ifPresent(
              why -> {
                throw new Violation(why, history);
              });
    }
  }

  /**
   * After many acquisitions without an answer, any of them may explain why another was refused, in
   * any order: nothing can come of that but time spent. So refusals are left out then.
   */
  private static List<Operation> decidable(Collection<Operation> operations) {
    List<Operation> unknown =
        operations.stream()
            .filter(operation -> operation.isOpen() && operation.action() instanceof Action.Acquire)
            .sorted(Comparator.comparingLong(Operation::invokedNanos))
            .toList();
    if (unknown.size() <= MOST_UNKNOWN) {
      return List.copyOf(operations);
    }
    long fromNanos = unknown.get(MOST_UNKNOWN).invokedNanos();
    return operations.stream()
        .filter(
            operation ->
                !(operation.result() instanceof Result.NotAcquired)
                    || operation.returnedNanos() < fromNanos)
        .toList();
  }
}

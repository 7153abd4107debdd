// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.history;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Decides whether the operations on one lock are linearizable, by the search of Wing and Gong with
 * Lowe's improvements ("Testing for linearizability", 2016): just in time, and never twice from the
 * same configuration.
 *
 * <p>It goes through the starts and ends of operations in the order of time and keeps every
 * configuration that can explain what has returned so far. When an operation returns, it must have
 * taken effect; so each configuration without it is continued by every order of pending operations
 * that ends with it. No operation needs to take effect earlier than that. If no configuration is
 * left, no order explains the history, and the earlier configurations show why.
 *
 * <p>Operations without an end stay pending for ever. So that many of them do no harm:
 *
 * <ul>
 *   <li>An answer that changes nothing (a read) takes effect as soon as it fits: waiting gains
 *       nothing.
 *   <li>The end of a lease that may or may not have come is of interest only while that lease holds
 *       the lock.
 *   <li>A grant that may or may not have come is of interest only if some answer tells of its
 *       holder before the lock passes on.
 *   <li>Who got a token is gathered from the whole history first.
 *   <li>Of two configurations with the same state, one that used fewer of them can do whatever the
 *       other can.
 * </ul>
 */
public final class LinearizabilityChecker {

  private static final int MAX_CONFIGURATIONS = 1_000_000;

  private record Moment(long nanos, boolean isReturn, int operation) {}

  private final List<Operation> operations;
  private final Map<String, Integer> leaseEnds = new HashMap<>();

  /** Pending operations that will return. */
  private final TreeSet<Integer> returning = new TreeSet<>();

  /** Acquisitions that are pending for ever; those that ask the same are interchangeable. */
  private final Map<Action.Acquire, TreeSet<Integer>> openAcquires = new LinkedHashMap<>();

  /** Releases, and the end, of each lease that are pending for ever. */
  private final Map<String, List<Integer>> openEnds = new HashMap<>();

  /** Leases that have ended in every configuration. */
  private final Set<String> ended = new HashSet<>();

  private Set<Configuration> configurations = Set.of(Configuration.INITIAL);

  private LinearizabilityChecker(List<Operation> operations) {
    this.operations = operations;
  }

  /** Checks lock by lock. Says nothing, or why some operations cannot be explained. */
  public static Optional<String> violation(History history) {
    for (String lock : history.locks()) {
      Optional<String> violation = violation(lock, history.operations(lock));
      if (violation.isPresent()) {
        return violation;
      }
    }
    return Optional.empty();
  }

  /** Checks the operations on one lock, which may come in any order. */
  public static Optional<String> violation(String lock, List<Operation> operations) {
    for (Operation operation : operations) {
      if (operation.returnedNanos() < operation.invokedNanos()) {
        return Optional.of(Explanation.tooEarly(lock, operations, operation));
      }
    }
    LinearizabilityChecker checker = new LinearizabilityChecker(KnownOwners.addedTo(operations));
    Operation stuck = checker.firstThatDoesNotFit();
    return stuck == null
        ? Optional.empty()
        : Optional.of(
            Explanation.doesNotFit(
                lock,
                operations,
                stuck,
                checker.configurations.stream().map(Configuration::state).toList()));
  }

  private Operation firstThatDoesNotFit() {
    for (Moment moment : moments()) {
      if (!moment.isReturn) {
        invoke(moment.operation);
      } else if (!complete(moment.operation)) {
        return operations.get(moment.operation);
      }
    }
    return null;
  }

  /** In the order of time; operations that touch at one moment count as concurrent. */
  private List<Moment> moments() {
    List<Moment> moments = new ArrayList<>();
    for (int i = 0; i < operations.size(); i++) {
      Operation operation = operations.get(i);
      moments.add(new Moment(operation.invokedNanos(), false, i));
      if (!operation.isOpen()) {
        moments.add(new Moment(operation.returnedNanos(), true, i));
      }
    }
    moments.sort(Comparator.comparingLong(Moment::nanos).thenComparing(Moment::isReturn));
    return moments;
  }

  private void invoke(int number) {
    Operation operation = operations.get(number);
    if (operation.action() instanceof Action.EndLease end
        && leaseEnds.put(end.lease(), number) != null) {
      throw new IllegalArgumentException("two ends of lease " + end.lease());
    }
    if (!operation.isOpen()) {
      returning.add(number);
    } else if (operation.action() instanceof Action.Acquire acquire) {
      openAcquires.computeIfAbsent(acquire, any -> new TreeSet<>()).add(number);
    } else if (operation.action() instanceof Action.Release release) {
      openEnds.computeIfAbsent(release.lease(), any -> new ArrayList<>()).add(number);
    } else if (operation.action() instanceof Action.EndLease end) {
      openEnds.computeIfAbsent(end.lease(), any -> new ArrayList<>()).add(number);
    }
  }

  /** Lets an operation return; false, and nothing changes, if it cannot have taken effect. */
  private boolean complete(int number) {
    Set<Configuration> completed = new LinkedHashSet<>();
    Set<Configuration> seen = new HashSet<>();
    Deque<Configuration> frontier = new ArrayDeque<>(configurations);
    while (!frontier.isEmpty()) {
      Configuration configuration = settle(frontier.poll());
      if (!seen.add(configuration)) {
        continue;
      }
      if (configuration.has(number)) {
        completed.add(configuration.without(number));
        continue;
      }
      LockState after = stateAfter(configuration, number);
      if (after != null && after.observed()) {
        completed.add(configuration.in(after));
      }
      expand(configuration, number, frontier);
      if (seen.size() + frontier.size() > MAX_CONFIGURATIONS) {
        throw new IllegalStateException(
            "gave up at " + operations.get(number) + ": too many configurations");
      }
    }
    if (completed.isEmpty()) {
      return false;
    }
    returning.remove(number);
    configurations = withoutTheDominated(completed);
    if (operations.get(number).action() instanceof Action.EndLease end) {
      endedForGood(end.lease());
    }
    forgetWhatIsDoneAnyway();
    return true;
  }

  /** Lets every pending operation take effect that fits and changes nothing. */
  private Configuration settle(Configuration configuration) {
    Configuration settled = configuration;
    for (int number : returning) {
      if (!isEnd(number)
          && !settled.has(number)
          && settled.state().equals(stateAfter(settled, number))) {
        settled = settled.with(number);
      }
    }
    return settled;
  }

  /** Adds what can follow, other than {@code number}. */
  private void expand(Configuration from, int number, Deque<Configuration> frontier) {
    LockState state = from.state();
    for (int next : returning) {
      if (next != number && !from.has(next) && (!isEnd(next) || endsHolder(state, next))) {
        follow(from, next, frontier);
      }
    }
    if (state.isFree()) {
      for (TreeSet<Integer> alike : openAcquires.values()) {
        alike.stream()
            .filter(next -> !from.has(next))
            .findFirst()
            .filter(next -> wouldBeTold(from, next))
            .ifPresent(next -> follow(from, next, frontier));
      }
    } else if (state.observed()) {
      for (int next : openEnds.getOrDefault(state.lease(), List.of())) {
        follow(from, next, frontier);
      }
    }
  }

  /** Whether some answer can tell of the holder that an acquisition without one would make. */
  private boolean wouldBeTold(Configuration from, int acquire) {
    LockState held = stateAfter(from, acquire);
    if (held == null) {
      return false;
    }
    Configuration granted = from.in(held);
    return returning.stream()
        .anyMatch(
            number -> !isEnd(number) && !from.has(number) && stateAfter(granted, number) != null);
  }

  private void follow(Configuration from, int next, Deque<Configuration> frontier) {
    LockState after = stateAfter(from, next);
    if (after != null) {
      Configuration followed = from.in(after);
      frontier.add(leavesNoTrace(next) ? followed : followed.with(next));
    }
  }

  /** A release without an answer can take effect only while its token is the present one. */
  private boolean leavesNoTrace(int number) {
    Operation operation = operations.get(number);
    return operation.isOpen() && operation.action() instanceof Action.Release;
  }

  /** The state after an operation; null if it does not fit. */
  private LockState stateAfter(Configuration configuration, int number) {
    Operation operation = operations.get(number);
    if (operation.action() instanceof Action.Acquire acquire
        && hasEnded(configuration, acquire.lease())) {
      return null;
    }
    return configuration.state().after(operation);
  }

  private boolean hasEnded(Configuration configuration, String lease) {
    Integer end = leaseEnds.get(lease);
    return end != null && (ended.contains(lease) || configuration.has(end));
  }

  private boolean isEnd(int number) {
    return operations.get(number).action() instanceof Action.EndLease;
  }

  private boolean endsHolder(LockState state, int number) {
    return operations.get(number).action() instanceof Action.EndLease end
        && end.lease().equals(state.lease());
  }

  // What keeps the configurations few.

  private Set<Configuration> withoutTheDominated(Set<Configuration> all) {
    if (all.size() == 1) {
      return all;
    }
    List<Configuration> fewestFirst = new ArrayList<>(all);
    fewestFirst.sort(Comparator.comparingInt(configuration -> configuration.done().length));
    Map<LockState, List<Configuration>> kept = new HashMap<>();
    Set<Configuration> result = new LinkedHashSet<>();
    for (Configuration candidate : fewestFirst) {
      List<Configuration> rivals =
          kept.computeIfAbsent(candidate.state(), any -> new ArrayList<>());
      if (rivals.stream().noneMatch(rival -> dominates(rival, candidate))) {
        rivals.add(candidate);
        result.add(candidate);
      }
    }
    return result;
  }

  /** Whether {@code other} differs only in more operations that did not have to take effect. */
  private boolean dominates(Configuration one, Configuration other) {
    int matched = 0;
    for (int number : other.done()) {
      if (matched < one.done().length && one.done()[matched] == number) {
        matched++;
      } else if (!operations.get(number).isOpen()) {
        return false;
      }
    }
    return matched == one.done().length;
  }

  private void forgetWhatIsDoneAnyway() {
    for (int number : configurations.iterator().next().done()) {
      Operation operation = operations.get(number);
      if (!operation.isOpen()
          || !configurations.stream().allMatch(configuration -> configuration.has(number))) {
        continue;
      }
      Set<Configuration> rest = new LinkedHashSet<>();
      configurations.forEach(configuration -> rest.add(configuration.without(number)));
      configurations = rest;
      if (operation.action() instanceof Action.Acquire acquire
          && openAcquires.containsKey(acquire)) {
        openAcquires.get(acquire).remove(number);
      }
      if (operation.action() instanceof Action.EndLease end) {
        endedForGood(end.lease());
      }
    }
  }

  private void endedForGood(String lease) {
    ended.add(lease);
    openEnds.remove(lease);
    openAcquires.keySet().removeIf(acquire -> acquire.lease().equals(lease));
  }
}

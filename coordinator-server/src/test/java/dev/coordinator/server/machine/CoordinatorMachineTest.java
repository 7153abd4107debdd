// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class CoordinatorMachineTest {

  private final CoordinatorMachine machine = new CoordinatorMachine();
  private final MachineView view = machine.view();
  private final ApplyResult result = new ApplyResult();
  private long index;

  private List<ApplyResult.Reply> apply(long timeMs, Command command) {
    result.clear();
    machine.apply(++index, timeMs, command, result);
    return result.replies;
  }

  private static Command acquire(String name, long leaseId, String owner, long waitMs) {
    return new Command.AcquireLock(name, leaseId, null, owner, waitMs, "", RequestId.NONE);
  }

  /** Waits as long as it takes. */
  private static Command acquire(String name, long leaseId, String owner) {
    return acquire(name, leaseId, owner, Command.AcquireLock.UNLIMITED);
  }

  @Test
  void agreesWithTheNaiveMachineOnRandomCommands() {
    int granted = 0;
    int overtaken = 0;
    for (long seed = 1; seed <= 300; seed++) {
      for (Object seen : compareOnRandomCommands(seed)) {
        granted += seen instanceof Event.LockAcquired ? 1 : 0;
        overtaken += seen instanceof Outcome.RequestOvertaken ? 1 : 0;
      }
    }
    assertTrue(granted > 10_000, "commands must meet: " + granted + " grants");
    assertTrue(overtaken > 500, "requests must overtake others: " + overtaken + " did");
  }

  /** Returns the events and outcomes. */
  private static List<Object> compareOnRandomCommands(long seed) {
    RandomHistory history = new RandomHistory(seed);
    CoordinatorMachine machine = new CoordinatorMachine();
    CoordinatorMachine twin = new CoordinatorMachine();
    MachineInvariants invariants = new MachineInvariants(machine);
    ApplyResult actual = new ApplyResult();
    ApplyResult ofTwin = new ApplyResult();
    List<Object> seen = new ArrayList<>();
    while (history.index() < 300) {
      history.advance();
      history.applyTo(machine, actual);
      history.applyTo(twin, ofTwin);
      String where = history.toString();
      assertEquals(history.expected.events, actual.events, where);
      assertEquals(history.expected.replies, actual.replies, where);
      assertEquals(actual.events, ofTwin.events, where);
      assertEquals(actual.replies, ofTwin.replies, where);
      assertEquals(history.naive.locks(), machine.view().locks("", "", 1_000), where);
      assertEquals(history.naive.leases(), machine.view().leases(0, 1_000), where);
      assertEquals(history.naive.nextDeadlineMs(), machine.view().nextDeadlineMs(), where);
      invariants.check();
      seen.addAll(actual.events);
      actual.replies.forEach(reply -> seen.add(reply.outcome()));
    }
    assertEquals(describe(machine), describe(twin));
    return seen;
  }

  private static String describe(CoordinatorMachine machine) {
    StringBuilder text = new StringBuilder();
    machine.describe(text);
    return text.toString();
  }

  @Test
  void refusesAnEntryThatIsNotNew() {
    machine.apply(5, 0, Command.Pulse.INSTANCE, result);

    assertThrows(
        InvariantViolation.class, () -> machine.apply(5, 0, Command.Pulse.INSTANCE, result));
  }

  @Test
  void viewTellsWhatIsThere() {
    apply(7, new Command.GrantLease(1_000, "host", ""));
    apply(8, new Command.GrantLease(2_000, "", ""));
    apply(9, acquire("b", 1, "x"));
    apply(10, acquire("a", 1, "x"));
    apply(11, acquire("b", 2, "y"));
    apply(12, acquire("b", 1, "z"));
    apply(13, acquire("b", 1, "a"));

    assertEquals(7, view.appliedIndex());
    assertEquals(13, view.clusterTimeMs());
    assertEquals(1_007, view.nextDeadlineMs());
    assertEquals(2, view.leaseCount());
    assertEquals(2, view.lockCount());
    assertEquals(3, view.waiterCount());
    assertEquals(3, view.waiterCount("b"));
    assertEquals(0, view.waiterCount("a"));
    assertEquals(0, view.waiterCount("unknown"));
    assertEquals(4, view.lockCount(1));
    assertEquals(0, view.lockCount(99));
    assertEquals(
        Optional.of(
            new LeaseView(
                1,
                "host",
                1_000,
                1_007,
                List.of(new LeaseView.HeldLock("a", 4), new LeaseView.HeldLock("b", 3)),
                List.of("b"),
                4)),
        view.lease(1));
    assertTrue(view.isConcerned(1, "a"), "holds it");
    assertTrue(view.isConcerned(2, "b"), "waits for it");
    assertFalse(view.isConcerned(2, "a"));
    assertFalse(view.isConcerned(1, ""), "names before and after it");
    assertFalse(view.isConcerned(99, "a"));
    assertEquals(Optional.empty(), view.lease(99));
    assertEquals(
        Optional.of(
            new LockView(
                "b",
                new LockView.Holder(1, "x", 3, "", 9),
                List.of(
                    new LockView.Waiter(2, "y", 11),
                    new LockView.Waiter(1, "z", 12),
                    new LockView.Waiter(1, "a", 13)),
                3)),
        view.lock("b"));
    assertEquals(Optional.empty(), view.lock("unknown"));
  }

  @Test
  void listsLocksInPagesUnderAPrefix() {
    apply(0, new Command.GrantLease(1_000, "", ""));
    for (String name : List.of("a", "a/1", "a/2", "a/\uff5e", "a/\ud83d\udd12", "b")) {
      apply(0, acquire(name, 1, ""));
    }

    assertEquals(List.of("a", "a/1"), names(view.locks("", "", 2)));
    assertEquals(List.of("a/2", "a/\uff5e"), names(view.locks("", "a/1", 2)));
    assertEquals(List.of("a/\ud83d\udd12", "b"), names(view.locks("", "a/\uff5e", 9)));
    assertEquals(
        List.of("a/1", "a/2", "a/\uff5e", "a/\ud83d\udd12"), names(view.locks("a/", "", 9)));
    assertEquals(List.of("a/\uff5e", "a/\ud83d\udd12"), names(view.locks("a/", "a/2", 9)));
    assertEquals(List.of("a/1"), names(view.locks("a/", "a", 1)));
    assertEquals(List.of(), names(view.locks("a/", "b", 9)));
    assertEquals(List.of(), names(view.locks("c", "", 9)));
  }

  private static List<String> names(List<LockView> locks) {
    return locks.stream().map(LockView::name).toList();
  }

  @Test
  void listsLeasesInPages() {
    for (int i = 0; i < 5; i++) {
      apply(0, new Command.GrantLease(1_000, "", ""));
    }

    assertEquals(List.of(1L, 2L), ids(view.leases(0, 2)));
    assertEquals(List.of(3L, 4L), ids(view.leases(2, 2)));
    assertEquals(List.of(5L), ids(view.leases(4, 2)));
    assertEquals(List.of(), ids(view.leases(5, 2)));
  }

  @Test
  void showsTheFirstLocksOfALease() {
    apply(0, new Command.GrantLease(1_000, "", ""));
    for (int i = 0; i <= LeaseView.MAX_LOCKS; i++) {
      apply(0, acquire("lock-%04d".formatted(i), 1, ""));
    }
    LeaseView lease = view.lease(1).orElseThrow();
    assertEquals(LeaseView.MAX_LOCKS, lease.held().size());
    assertEquals("lock-0000", lease.held().get(0).name());
    assertEquals(LeaseView.MAX_LOCKS + 1, lease.lockCount());
    assertEquals(LeaseView.MAX_LOCKS_IN_LIST, view.leases(0, 1).get(0).held().size());
  }

  private static List<Long> ids(List<LeaseView> leases) {
    return leases.stream().map(LeaseView::leaseId).toList();
  }

  @Test
  void showsTheFirstOfManyWaitersAndCountsAll() {
    apply(0, new Command.GrantLease(1_000, "", ""));
    for (int i = 0; i < 1_500; i++) {
      apply(0, acquire("a", 1, "owner-" + i));
    }

    LockView lock = view.lock("a").orElseThrow();
    assertEquals(1_499, lock.waiterCount());
    assertEquals(LockView.MAX_WAITERS, lock.waiters().size());
    assertEquals("owner-1", lock.waiters().get(0).owner());
    assertEquals(LockView.MAX_WAITERS_IN_LIST, view.locks("", "", 1).get(0).waiters().size());
  }

  @Test
  void remembersABoundedNumberOfOutcomes() {
    apply(0, new Command.GrantLease(1_000, "", ""));
    for (int number = 1; number <= RequestHistory.MAX_UNACKNOWLEDGED; number++) {
      apply(0, release(number, 0));
    }

    assertEquals(
        new Outcome.TooManyUnacknowledged(1, RequestHistory.MAX_UNACKNOWLEDGED),
        apply(0, release(1_025, 0)).get(0).outcome());
    assertEquals(new Outcome.NotLockOwner("a", 0), apply(0, release(1_024, 0)).get(0).outcome());
    assertEquals(new Outcome.NotLockOwner("a", 0), apply(0, release(1_025, 2)).get(0).outcome());
  }

  private static Command release(long number, long acknowledgedBelow) {
    return new Command.ReleaseLock("a", 1, "", 1, new RequestId(number, acknowledgedBelow));
  }

  /** Each wait is found and taken out without a walk along the queue, or this takes minutes. */
  @Test
  void takesWaitersOutOfTheMiddleOfALongQueue() {
    int count = 100_000;
    apply(0, new Command.GrantLease(1_000_000, "", ""));
    apply(0, acquire("a", 1, "holder"));
    List<Long> waits = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      apply(0, acquire("a", 1, "owner-" + i, i % 2 == 0 ? 500_000 : Command.AcquireLock.UNLIMITED));
      waits.add(index);
    }
    assertEquals(count, view.waiterCount());

    for (int i = 1; i < count; i += 4) {
      apply(0, new Command.CancelWait("a", waits.get(count - i)));
    }
    assertEquals(3 * count / 4, view.waiterCount());

    apply(500_000, Command.Pulse.INSTANCE);
    assertEquals(1 + count / 2, result.replies.size());
    assertEquals(count / 4, view.waiterCount("a"));
    MachineInvariants.check(machine);
  }

  @Test
  void endsManyLeasesInTheOrderOfTheirDeadlines() {
    int count = 50_000;
    RandomGenerator random = new SplittableRandom(7);
    for (int i = 0; i < count; i++) {
      apply(0, new Command.GrantLease(1 + random.nextInt(1_000), "", ""));
    }
    for (int i = 0; i < count; i++) {
      apply(0, new Command.RenewLeases(List.of(1L + random.nextInt(count))));
      apply(0, new Command.RevokeLease(1 + random.nextInt(count)));
    }
    List<LeaseView> living = view.leases(0, count);
    List<Long> expected =
        living.stream()
            .sorted(Comparator.comparing(LeaseView::deadlineMs).thenComparing(LeaseView::leaseId))
            .map(LeaseView::leaseId)
            .toList();
    MachineInvariants.check(machine);

    apply(1_000, Command.Pulse.INSTANCE);

    assertEquals(
        expected,
        result.events.stream().map(event -> ((Event.LeaseEnded) event).leaseId()).toList());
    assertEquals(0, view.leaseCount());
    assertEquals(Long.MAX_VALUE, view.nextDeadlineMs());
  }
}

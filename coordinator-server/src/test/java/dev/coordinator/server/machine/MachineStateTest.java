// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class MachineStateTest {

  private static final int ENTRIES = 300;

  private static String describe(CoordinatorMachine machine) {
    StringBuilder text = new StringBuilder();
    machine.describe(text);
    return text.toString();
  }

  private static List<Object> contents(MachineState state) {
    List<Object> contents = new ArrayList<>();
    contents.add(state.appliedIndex());
    contents.add(state.clusterTimeMs());
    addAll(contents, state.leases());
    assertEquals(state.leaseCount(), contents.size() - 2);
    addAll(contents, state.locks());
    assertEquals(state.lockCount(), contents.size() - 2 - state.leaseCount());
    return contents;
  }

  private static void addAll(List<Object> contents, Iterator<?> rest) {
    rest.forEachRemaining(contents::add);
  }

  /** Freezes and restores the restored machine again and again, so that mistakes add up. */
  @Test
  void goesOnFromAStateAsIfNothingHadHappened() {
    int claims = 0;
    for (long seed = 1; seed <= 100; seed++) {
      RandomHistory history = new RandomHistory(seed);
      CoordinatorMachine machine = new CoordinatorMachine();
      CoordinatorMachine restored = new CoordinatorMachine();
      ApplyResult expected = new ApplyResult();
      ApplyResult actual = new ApplyResult();
      while (history.index() < ENTRIES) {
        history.advance();
        history.applyTo(machine, expected);
        history.applyTo(restored, actual);
        String where = history.toString();
        assertEquals(expected.events, actual.events, where);
        assertEquals(expected.replies, actual.replies, where);
        assertEquals(describe(machine), describe(restored), where);
        assertEquals(contents(machine.freeze()), contents(restored.freeze()), where);
        if (history.index() % 3 == 0) {
          restored = new CoordinatorMachine(restored.freeze());
          MachineInvariants.check(restored);
          assertEquals(describe(machine), describe(restored), where);
          claims += restored.view().lockCount() + restored.view().waiterCount();
        }
      }
    }
    assertTrue(claims > 10_000, "states must have content: " + claims + " claims");
  }

  @Test
  void aFrozenStateStaysAsItIs() {
    for (long seed = 1; seed <= 50; seed++) {
      RandomHistory history = new RandomHistory(seed);
      CoordinatorMachine machine = new CoordinatorMachine();
      ApplyResult result = new ApplyResult();
      List<MachineState> states = new ArrayList<>();
      List<List<Object>> contents = new ArrayList<>();
      while (history.index() < ENTRIES) {
        history.advance();
        history.applyTo(machine, result);
        if (history.index() % 7 == 0) {
          states.add(machine.freeze());
          contents.add(contents(machine.freeze()));
        }
      }
      for (int i = 0; i < states.size(); i++) {
        assertEquals(contents.get(i), contents(states.get(i)), "state " + i + " of seed " + seed);
      }
    }
  }

  /** The machine applies on while another thread reads what was frozen, again and again. */
  @Test
  void anotherThreadReadsAFrozenStateWhileTheMachineGoesOn() throws Exception {
    CoordinatorMachine machine = new CoordinatorMachine();
    RandomGenerator random = new SplittableRandom(5);
    int leases = 1_000;
    ApplyResult result = new ApplyResult();
    for (int index = 1; index <= leases; index++) {
      machine.apply(index, 0, new Command.GrantLease(60_000, "", ""), result);
    }
    ExecutorService reader = Executors.newSingleThreadExecutor();
    try {
      for (int freeze = 0; freeze < 20; freeze++) {
        MachineState state = machine.freeze();
        List<Object> expected = contents(state);
        CountDownLatch reading = new CountDownLatch(1);
        AtomicBoolean over = new AtomicBoolean();
        Future<?> reads =
            reader.submit(
                () -> {
                  do {
                    reading.countDown();
                    assertEquals(expected, contents(state));
                  } while (!over.get());
                });
        reading.await();
        for (int entry = 0; entry < 2_000; entry++) {
          result.clear();
          machine.apply(
              machine.appliedIndex() + 1, entry, anything(machine.view(), leases, random), result);
        }
        over.set(true);
        reads.get();
        MachineInvariants.check(machine);
      }
      assertTrue(machine.view().lockCount() > 100, "locks are held");
      assertTrue(machine.view().waiterCount() > 100, "locks are waited for");
    } finally {
      reader.shutdownNow();
    }
  }

  /** Touches many leases and locks, in all parts of their tables. */
  private static Command anything(MachineView view, int leases, RandomGenerator random) {
    long leaseId = 1L + random.nextInt(leases);
    String name = "lock " + random.nextInt(500);
    LockView.Holder holder = view.lock(name).map(LockView::holder).orElse(null);
    return switch (random.nextInt(4)) {
      case 0 -> new Command.RenewLeases(List.of(leaseId));
      case 1 ->
          holder == null
              ? Command.Pulse.INSTANCE
              : new Command.ReleaseLock(
                  name, holder.leaseId(), holder.owner(), holder.token(), RequestId.NONE);
      default ->
          new Command.AcquireLock(
              name, leaseId, null, "", 1 + random.nextInt(60_000), "", RequestId.NONE);
    };
  }

  private static final LeaseState LEASE =
      new LeaseState(3, "", "nonce", 1_000, 1_010, 0, 0, List.of());

  private static LockState.ClaimState holder(long id, String owner) {
    return new LockState.ClaimState(id, 3, owner, "", 5, id, LeaseView.NO_DEADLINE, 0, 0);
  }

  private static LockState.ClaimState waiter(long id, long replyIndex, long requestNumber) {
    return new LockState.ClaimState(id, 3, "owner " + id, "", 5, 0, 20, replyIndex, requestNumber);
  }

  private static LeaseState waitingWithRequest(String owner) {
    return new LeaseState(
        3,
        "",
        "",
        1_000,
        1_010,
        0,
        0,
        List.of(new LeaseState.RequestState(1, 2, "a", owner, null)));
  }

  private static void refused(String message, List<LeaseState> leases, List<LockState> locks) {
    ListedState state = new ListedState(9, 10, leases, locks);
    assertEquals(
        "state is broken: " + message,
        assertThrows(IllegalArgumentException.class, () -> new CoordinatorMachine(state))
            .getMessage());
  }

  @Test
  void refusesAStateThatContradictsItself() {
    LockState lock = new LockState("a", holder(4, ""), List.of());
    refused("lease 3 of claim 4 on lock a exists", List.of(), List.of(lock));
    refused("lease 3 stands once", List.of(LEASE, LEASE), List.of());
    refused(
        "lease 5 has a nonce of its own",
        List.of(LEASE, new LeaseState(5, "", "nonce", 1, 20, 0, 0, List.of())),
        List.of());
    refused(
        "lease 3 ends after the time of the state",
        List.of(new LeaseState(3, "", "", 1, 10, 0, 0, List.of())),
        List.of());
    refused("lock a stands once", List.of(LEASE), List.of(lock, lock));
    refused(
        "the holder of lock a has a token",
        List.of(LEASE),
        List.of(new LockState("a", waiter(5, 5, 0), List.of())));
    refused(
        "waiter 5 of lock a has no token",
        List.of(LEASE),
        List.of(new LockState("a", holder(4, ""), List.of(holder(5, "x")))));
    refused(
        "only waiter 6 of lock a answers entry 7",
        List.of(LEASE),
        List.of(new LockState("a", holder(4, ""), List.of(waiter(5, 7, 0), waiter(6, 7, 0)))));
    refused(
        "owner \"\" of lease 3 has one claim on lock a",
        List.of(LEASE),
        List.of(
            new LockState(
                "a",
                holder(4, ""),
                List.of(new LockState.ClaimState(5, 3, "", "", 5, 0, 20, 5, 0)))));
    refused(
        "request 1 of lease 3 waits with claim 5 on lock a",
        List.of(LEASE),
        List.of(new LockState("a", holder(4, ""), List.of(waiter(5, 5, 1)))));
    refused(
        "request 1 of lease 3 is answered or waits", List.of(waitingWithRequest("")), List.of());
    refused(
        "request 1 of lease 3 waits with claim 5 on lock a",
        List.of(waitingWithRequest("another owner")),
        List.of(new LockState("a", holder(4, ""), List.of(waiter(5, 5, 1)))));
    refused(
        "request 1 of lease 3 is answered or waits",
        List.of(waitingWithRequest("owner 5")),
        List.of(new LockState("a", holder(4, ""), List.of(waiter(5, 5, 0)))));
    refused(
        "claim 4 that lease 3 was made for exists",
        List.of(new LeaseState(3, "", "", 1, 20, 4, 0, List.of())),
        List.of());
    refused(
        "lease 3 has no deadline exactly while it waits for its own lock",
        List.of(new LeaseState(3, "", "", 1, LeaseView.NO_DEADLINE, 0, 0, List.of())),
        List.of());
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.lang.management.ManagementFactory;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * How fast the machine applies, alone and while another thread reads one frozen state after the
 * other. Counts CPU time of the applying thread, so that other load on the computer matters little.
 *
 * <p>Arguments: rounds, of which the best counts (default 5), and {@code alone} to leave the reader
 * out.
 */
public final class MachineBench {

  private static final int TABLE = 100_000;
  private static final int OPERATIONS = 400_000;
  private static final long TTL_MS = 1_000_000;

  /** Applies {@code OPERATIONS} entries. */
  private interface Work {
    void run(Run run);
  }

  /** A machine with an index and a time that rise. */
  private static final class Run {
    final CoordinatorMachine machine = new CoordinatorMachine();
    final ApplyResult result = new ApplyResult();
    final AtomicReference<MachineState> frozen = new AtomicReference<>();
    boolean freezing;
    long index;

    void apply(Command command) {
      result.clear();
      machine.apply(++index, index / 1_000, command, result);
      if (freezing && index % 256 == 0 && frozen.get() == null) {
        frozen.set(machine.freeze());
      }
    }

    /** Leases from 1 on. */
    void leases(int count) {
      for (int i = 0; i < count; i++) {
        apply(new Command.GrantLease(TTL_MS, "", ""));
      }
    }

    void acquire(String name, long leaseId, String owner) {
      apply(
          new Command.AcquireLock(
              name, leaseId, null, owner, Command.AcquireLock.UNLIMITED, "", RequestId.NONE));
    }

    void release(String name, long leaseId, String owner, long token) {
      apply(new Command.ReleaseLock(name, leaseId, owner, token, RequestId.NONE));
    }
  }

  private MachineBench() {}

  public static void main(String[] args) throws InterruptedException {
    int rounds = args.length == 0 ? 5 : Integer.parseInt(args[0]);
    boolean alone = args.length > 1 && args[1].equals("alone");
    for (boolean freezing : alone ? new boolean[] {false} : new boolean[] {false, true}) {
      System.out.println(freezing ? "with a reader of frozen states" : "alone");
      measure("acquire and release", rounds, freezing, MachineBench::pairs);
      measure("numbered acquire and release", rounds, freezing, MachineBench::numberedPairs);
      measure("renewals, 10 000 leases", rounds, freezing, MachineBench::renewals);
      measure("hand-offs, 1 000 waiters", rounds, freezing, MachineBench::handOffs);
    }
    freezeTime(rounds);
  }

  private static void measure(String what, int rounds, boolean freezing, Work work)
      throws InterruptedException {
    double best = Double.MAX_VALUE;
    int read = 0;
    for (int round = 0; round < rounds; round++) {
      Run run = new Run();
      run.leases(TABLE);
      for (int i = 0; i < TABLE; i++) {
        run.acquire("held/" + i, 1 + i, "");
      }
      AtomicBoolean over = new AtomicBoolean();
      int[] states = {0};
      Thread reader = new Thread(() -> states[0] = readStates(run.frozen, over));
      reader.start();
      run.freezing = freezing;
      long before = cpuNanos();
      work.run(run);
      best = Math.min(best, (cpuNanos() - before) / (double) OPERATIONS);
      over.set(true);
      reader.join();
      read += states[0];
    }
    System.out.printf(Locale.ROOT, "  %-30s %6.0f ns/entry, %d states read%n", what, best, read);
  }

  private static int readStates(AtomicReference<MachineState> frozen, AtomicBoolean over) {
    int read = 0;
    while (!over.get()) {
      MachineState state = frozen.get();
      if (state == null) {
        LockSupport.parkNanos(100_000);
        continue;
      }
      size(state);
      frozen.set(null);
      read++;
    }
    return read;
  }

  private static int size(MachineState state) {
    int size = 0;
    for (Iterator<LeaseState> leases = state.leases(); leases.hasNext(); leases.next()) {
      size++;
    }
    for (Iterator<LockState> locks = state.locks(); locks.hasNext(); ) {
      size += 1 + locks.next().waiters().size();
    }
    return size;
  }

  private static long cpuNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static void pairs(Run run) {
    for (int i = 0; i < OPERATIONS / 2; i++) {
      String name = "free/" + i * 7_919L % 1_000;
      long lease = 1 + i * 7_919L % TABLE;
      run.acquire(name, lease, "");
      run.release(name, lease, "", run.index);
    }
  }

  private static void numberedPairs(Run run) {
    long number = 1;
    for (int i = 0; i < OPERATIONS / 2; i++) {
      String name = "free/" + i * 7_919L % 1_000;
      long lease = 1 + i * 7_919L % 1_000;
      run.apply(
          new Command.AcquireLock(
              name, lease, null, "", 1_000, "", new RequestId(number, number - 1)));
      long token = run.index;
      number++;
      run.apply(new Command.ReleaseLock(name, lease, "", token, new RequestId(number, number - 1)));
      number++;
    }
  }

  private static void renewals(Run run) {
    for (int i = 0; i < OPERATIONS; i++) {
      run.apply(new Command.RenewLeases(List.of(1 + i * 7_919L % 10_000)));
    }
  }

  private static void handOffs(Run run) {
    String name = "wanted";
    int waiters = 1_000;
    for (int i = 0; i <= waiters; i++) {
      run.acquire(name, 1 + i, "");
    }
    long token = run.index - waiters;
    for (int i = 0; i < OPERATIONS / 2; i++) {
      long lease = 1L + i % (waiters + 1);
      run.release(name, lease, "", token);
      token = run.index;
      run.acquire(name, lease, "");
    }
  }

  private static void freezeTime(int rounds) {
    Run run = new Run();
    run.leases(TABLE);
    for (int i = 0; i < TABLE; i++) {
      run.acquire("held/" + i, 1 + i, "");
    }
    long best = Long.MAX_VALUE;
    long bestReading = Long.MAX_VALUE;
    long bestRestoring = Long.MAX_VALUE;
    for (int round = 0; round < 4 * rounds; round++) {
      long start = System.nanoTime();
      MachineState state = run.machine.freeze();
      long frozen = System.nanoTime();
      size(state);
      long read = System.nanoTime();
      new CoordinatorMachine(state);
      best = Math.min(best, frozen - start);
      bestReading = Math.min(bestReading, read - frozen);
      bestRestoring = Math.min(bestRestoring, System.nanoTime() - read);
    }
    System.out.printf(
        Locale.ROOT,
        "%d leases and locks: freeze %.1f us, read %.1f ms, restore %.1f ms%n",
        TABLE,
        best / 1e3,
        bestReading / 1e6,
        bestRestoring / 1e6);
  }
}

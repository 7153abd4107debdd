// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Runs many seeds on several threads, each run alone on its thread, and adds up what happened. Ends
 * with the first violation, or when the seeds do.
 */
final class Campaign {

  /** What the supplier of seeds says when there are no more. */
  static final long NO_MORE = Long.MIN_VALUE;

  private final LongSupplier seeds;
  private final long faultyMs;
  private final Figures figures = new Figures();
  private String violation;
  private boolean failed;
  private long cpuNanos;

  private Campaign(LongSupplier seeds, long faultyMs) {
    this.seeds = seeds;
    this.faultyMs = faultyMs;
  }

  /**
   * @param violation its story, null if there was none
   */
  record Result(Figures figures, double seconds, double cpuSeconds, String violation) {

    /** How fast it was, for people. */
    String speed() {
      double simulatedSeconds = figures.simulatedMs() / 1_000.0;
      return String.format(
          "%.0f s: %.0f simulated seconds per second, %.0f per second of one processor",
          seconds, simulatedSeconds / seconds, simulatedSeconds / cpuSeconds);
    }
  }

  static Result run(LongSupplier seeds, long faultyMs, int threads) {
    return new Campaign(seeds, faultyMs).run(threads);
  }

  private Result run(int threads) {
    long startNanos = System.nanoTime();
    List<Thread> workers = new ArrayList<>();
    for (int i = 1; i <= threads; i++) {
      Thread worker = new Thread(this::work, "simulation-" + i);
      workers.add(worker);
      worker.start();
    }
    for (Thread worker : workers) {
      try {
        worker.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while simulations run", e);
      }
    }
    return new Result(figures, (System.nanoTime() - startNanos) / 1e9, cpuNanos / 1e9, violation);
  }

  private void work() {
    for (long seed = next(); seed != NO_MORE; seed = next()) {
      try {
        Simulation.Result result = Simulation.run(seed, faultyMs, Story.SILENT);
        synchronized (this) {
          figures.add(result.figures());
        }
      } catch (Throwable found) {
        failed(seed, found);
      }
    }
    synchronized (this) {
      cpuNanos += ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }
  }

  private synchronized long next() {
    return failed ? NO_MORE : seeds.getAsLong();
  }

  private synchronized void failed(long seed, Throwable found) {
    if (!failed) {
      failed = true;
      violation = Simulation.retell(seed, faultyMs, found);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.util.function.LongSupplier;

/** Runs seeds for as long as asked, and prints what happened in numbers. */
public final class Soak {

  private static final long FAULTY_MS = 60_000;

  private Soak() {}

  /** {@code Soak FIRST_SEED SECONDS [THREADS]}: ends with 1 and the story of a violation. */
  public static void main(String[] args) {
    long first = Long.parseLong(args[0]);
    long untilNanos = System.nanoTime() + Long.parseLong(args[1]) * 1_000_000_000L;
    int threads =
        args.length > 2 ? Integer.parseInt(args[2]) : Runtime.getRuntime().availableProcessors();
    LongSupplier seeds =
        new LongSupplier() {
          private long next = first;

          @Override
          public long getAsLong() {
            return next == first || System.nanoTime() < untilNanos ? next++ : Campaign.NO_MORE;
          }
        };
    Campaign.Result result = Campaign.run(seeds, FAULTY_MS, threads);
    System.out.print(result.figures());
    System.out.println(result.speed());
    if (result.violation() != null) {
      System.out.println(result.violation());
      System.exit(1);
    }
    System.out.printf("no violation in seeds from %d on%n", first);
  }
}

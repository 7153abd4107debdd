// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/** Runs seeds for as long as asked, and prints what happened in numbers. */
public final class Soak {

  private static final String USAGE =
      "usage: Soak [--first SEED] [--seeds N] [--minutes N] [--threads N]";
  private static final long NANOS_PER_MINUTE = 60_000_000_000L;

  private long first = FreshSeeds.first();
  private long seeds = Long.MAX_VALUE;
  private long minutes = Long.MAX_VALUE;
  private int threads = Runtime.getRuntime().availableProcessors();

  private Soak() {}

  /** Ends with 1, and the story, after a violation. */
  public static void main(String[] args) {
    Soak soak = new Soak();
    try {
      soak.read(args);
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage() + "\n" + USAGE);
      System.exit(2);
    }
    try (MemberLogs silent = MemberLogs.silence()) {
      if (!soak.run()) {
        System.exit(1);
      }
    }
  }

  private void read(String[] args) {
    for (int i = 0; i < args.length; i += 2) {
      if (i + 1 == args.length) {
        throw new IllegalArgumentException(args[i] + " lacks its value");
      }
      long value = Long.parseLong(args[i + 1]);
      switch (args[i]) {
        case "--first" -> first = value;
        case "--seeds" -> seeds = value;
        case "--minutes" -> minutes = value;
        case "--threads" -> threads = Math.toIntExact(value);
        default -> throw new IllegalArgumentException("unknown option " + args[i]);
      }
    }
    if (seeds == Long.MAX_VALUE && minutes == Long.MAX_VALUE) {
      minutes = 1;
    }
  }

  private boolean run() {
    long untilNanos =
        minutes == Long.MAX_VALUE ? Long.MAX_VALUE : System.nanoTime() + minutes * NANOS_PER_MINUTE;
    AtomicLong taken = new AtomicLong();
    LongSupplier supply =
        () -> {
          long number = taken.getAndIncrement();
          return number < seeds && System.nanoTime() < untilNanos
              ? first + number
              : Campaign.NO_MORE;
        };
    Campaign.Result result = Campaign.run(supply, Simulation.FAULTY_MS, threads);
    System.out.printf("seeds from %d on%n%s%s%n", first, result.figures(), result.speed());
    System.out.println(result.violation() == null ? "no violation" : result.violation());
    return result.violation() == null;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;

/**
 * Runs the simulator on mutants until it finds them. {@code MutantHunt FIRST_SEED MAX_SEEDS [NAME]}
 * prints the table of those whose names contain NAME, as the documentation has it.
 */
final class MutantHunt {

  private static final long FAULTY_MS = 60_000;

  private MutantHunt() {}

  /**
   * How a mutant was found.
   *
   * @param seeds how many seeds it took, the last one included
   * @param cpuMs how long its thread worked
   * @param violation what was seen; null if it was not found
   */
  record Catch(Mutant mutant, int seeds, long cpuMs, String violation) {

    boolean isFound() {
      return violation != null;
    }

    String row() {
      return String.format(
          "| %s | %s | %s | %.1f | %s |",
          mutant.name(),
          mutant.shipped(),
          isFound() ? seeds : "not in " + seeds,
          cpuMs / 1_000.0,
          isFound() ? violation : "");
    }
  }

  /**
   * Hunts each mutant on one thread, and tells of each when it is done.
   *
   * @param firstSeed where to begin with a mutant
   */
  static List<Catch> hunt(
      List<Mutant> mutants,
      ToLongFunction<Mutant> firstSeed,
      int maxSeeds,
      Consumer<Catch> progress)
      throws Exception {
    int threads = Runtime.getRuntime().availableProcessors();
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      List<Future<Catch>> running = new ArrayList<>();
      for (Mutant mutant : mutants) {
        long first = firstSeed.applyAsLong(mutant);
        running.add(executor.submit(() -> hunt(mutant, first, maxSeeds, progress)));
      }
      List<Catch> catches = new ArrayList<>();
      for (Future<Catch> one : running) {
        catches.add(one.get());
      }
      return catches;
    } finally {
      executor.shutdownNow();
    }
  }

  private static Catch hunt(Mutant mutant, long firstSeed, int maxSeeds, Consumer<Catch> progress)
      throws Exception {
    MethodHandle simulation =
        MethodHandles.publicLookup()
            .findStatic(
                mutant.classLoader().loadClass(Simulation.class.getName()),
                "violation",
                MethodType.methodType(String.class, long.class, long.class));
    long startNanos = cpuNanos();
    int seeds = 0;
    String violation = null;
    while (violation == null && seeds < maxSeeds) {
      violation = violation(simulation, firstSeed + seeds);
      seeds++;
    }
    long cpuMs = (cpuNanos() - startNanos) / 1_000_000;
    Catch done = new Catch(mutant, seeds, cpuMs, violation);
    progress.accept(done);
    return done;
  }

  private static long cpuNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static String violation(MethodHandle simulation, long seed) {
    String story;
    try {
      story = (String) simulation.invokeExact(seed, FAULTY_MS);
    } catch (Throwable e) {
      throw new IllegalStateException("the simulator itself failed at seed " + seed, e);
    }
    return story == null ? null : oneLine(story);
  }

  /** What was found, without the story that leads to it. */
  private static String oneLine(String story) {
    String told = story.substring(story.lastIndexOf("after this story: "));
    String line = told.substring(told.indexOf(": ") + 2).lines().findFirst().orElse("");
    String what = line.substring(line.indexOf(": ") + 2);
    return what.length() > 110 ? what.substring(0, 110) + " ..." : what;
  }

  public static void main(String[] args) throws Exception {
    String part = args.length > 2 ? args[2] : "";
    List<Mutant> mutants =
        Mutants.read().stream().filter(mutant -> mutant.name().contains(part)).toList();
    long firstSeed = Long.parseLong(args[0]);
    int maxSeeds = Integer.parseInt(args[1]);
    List<Catch> catches;
    try (MemberLogs silent = MemberLogs.silence()) {
      catches = hunt(mutants, any -> firstSeed, maxSeeds, one -> System.err.println(one.row()));
    }
    System.out.println("| mistake | shipped or found | seeds | s | seen as |");
    System.out.println("| --- | --- | ---: | ---: | --- |");
    catches.forEach(one -> System.out.println(one.row()));
    System.out.printf(
        "%n%d of %d found, median %.1f seeds, maximum %d, %d s of processor time%n",
        catches.stream().filter(Catch::isFound).count(),
        catches.size(),
        medianSeeds(catches),
        catches.stream().mapToInt(Catch::seeds).max().orElse(0),
        catches.stream().mapToLong(Catch::cpuMs).sum() / 1_000);
  }

  private static double medianSeeds(List<Catch> catches) {
    int[] seeds = catches.stream().mapToInt(Catch::seeds).sorted().toArray();
    return seeds.length == 0 ? 0 : (seeds[(seeds.length - 1) / 2] + seeds[seeds.length / 2]) / 2.0;
  }
}

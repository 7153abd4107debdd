// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.util.SplittableRandom;

/**
 * One run of a simulated cluster, decided by its seed alone.
 *
 * <p>Faults first; then a calm in which the cluster must recover: a leader, a new commit, and
 * members that hold the same state to the byte.
 */
public final class Simulation {

  private static final long CALM_MS = 20_000;
  private static final int STORY_LINES = 400;

  private Simulation() {}

  /** Says what a seed did: null, or the violation with its story. */
  public static String violation(long seed, long faultyMs) {
    try {
      run(seed, faultyMs, Story.SILENT);
      return null;
    } catch (Throwable found) {
      Story story = new Story(STORY_LINES);
      try {
        run(seed, faultyMs, story);
        return "seed " + seed + " failed once, but not when repeated: " + found;
      } catch (Throwable again) {
        return story + "\nseed " + seed + " after this story: " + again;
      }
    }
  }

  /**
   * Runs one seed.
   *
   * @return the hash of its trace
   */
  static long run(long seed, long faultyMs, Story story) {
    SimulatedCluster cluster = new SimulatedCluster(new SplittableRandom(seed), story);
    Nemesis nemesis = new Nemesis(cluster);
    nemesis.start();
    cluster.run(faultyMs);
    nemesis.stop();
    cluster.calm();
    long committedBefore = cluster.oracle().committed();
    cluster.run(CALM_MS);
    checkRecovered(cluster, committedBefore);
    return cluster.traceHash();
  }

  private static void checkRecovered(SimulatedCluster cluster, long committedBefore) {
    if (cluster.oracle().committed() <= committedBefore) {
      throw new Violation("nothing was committed in %d ms of calm", CALM_MS);
    }
    // Members apply at different moments; compare those that stand at one index.
    String[] states = new String[cluster.members().size()];
    long[] applied = new long[states.length];
    for (int i = 0; i < states.length; i++) {
      var machine = cluster.members().get(i).loop().machine();
      applied[i] = machine.view().appliedIndex();
      StringBuilder state = new StringBuilder();
      machine.describe(state);
      states[i] = state.toString();
      for (int j = 0; j < i; j++) {
        if (applied[i] == applied[j] && !states[i].equals(states[j])) {
          throw new Violation(
              "members %d and %d differ at index %d:%n%s%n%s",
              j + 1, i + 1, applied[i], states[j], states[i]);
        }
      }
    }
  }

  /** Runs seeds for as long as asked: {@code Simulation FIRST_SEED SECONDS [FAULTY_MS]}. */
  public static void main(String[] args) {
    long seed = Long.parseLong(args[0]);
    long untilNanos = System.nanoTime() + Long.parseLong(args[1]) * 1_000_000_000L;
    long faultyMs = args.length > 2 ? Long.parseLong(args[2]) : 40_000;
    long startNanos = System.nanoTime();
    long runs = 0;
    while (runs == 0 || System.nanoTime() < untilNanos) {
      String violation = violation(seed + runs, faultyMs);
      if (violation != null) {
        System.out.println(violation);
        System.exit(1);
      }
      runs++;
    }
    double seconds = (System.nanoTime() - startNanos) / 1e9;
    System.out.printf(
        "%d seeds from %d, %d simulated seconds each: no violation; %.0f simulated seconds per"
            + " second%n",
        runs, seed, (faultyMs + CALM_MS) / 1_000, runs * (faultyMs + CALM_MS) / 1_000.0 / seconds);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.machine.CoordinatorMachine;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * One run of a simulated cluster, decided by its seed alone.
 *
 * <p>Faults first; then a calm in which the cluster must recover: a leader, a new commit, and
 * members that hold the same state to the byte.
 */
public final class Simulation {

  /** Entries that travel one by one over slow ways to slow disks may take a while. */
  private static final long MAX_CALM_MS = 300_000;

  private static final long STEP_MS = 1_000;
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
    awaitRecovery(cluster);
    checkEqualStates(cluster);
    return cluster.traceHash();
  }

  /** Waits until every member has applied something that was committed in the calm. */
  private static void awaitRecovery(SimulatedCluster cluster) {
    long committedBefore = cluster.oracle().committed();
    for (long calmMs = 0; !hasRecovered(cluster, committedBefore); calmMs += STEP_MS) {
      if (calmMs >= MAX_CALM_MS) {
        throw new Violation("the cluster did not recover in %d ms of calm", MAX_CALM_MS);
      }
      cluster.run(STEP_MS);
    }
  }

  private static boolean hasRecovered(SimulatedCluster cluster, long committedBefore) {
    return cluster.members().stream()
        .allMatch(member -> member.loop().machine().view().appliedIndex() > committedBefore);
  }

  /** Members apply at different moments; those that stand at one index must hold the same. */
  private static void checkEqualStates(SimulatedCluster cluster) {
    Map<Long, String> states = new TreeMap<>();
    for (SimulatedMember member : cluster.members()) {
      CoordinatorMachine machine = member.loop().machine();
      StringBuilder text = new StringBuilder();
      machine.describe(text);
      String state = text.toString();
      String other = states.putIfAbsent(machine.view().appliedIndex(), state);
      if (other != null && !other.equals(state)) {
        throw new Violation("%s holds%n%s%nand another member%n%s", member, state, other);
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
        "%d seeds from %d, %d s of faults each: no violation; %.0f simulated seconds per second%n",
        runs, seed, faultyMs / 1_000, runs * faultyMs / 1_000.0 / seconds);
  }
}

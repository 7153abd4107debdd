// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Runs whole clusters under faults: seeds that nobody has run before, and all that ever found
 * something. {@code -Dsim.seed=N} replays one seed; {@code -Dsim.first=N} and {@code -Dsim.seeds=N}
 * choose others than those of the day.
 */
class SimulationTest {

  private static final long ENOUGH_FOR_ALL_KINDS = 1_000;
  private static final long SHORT_MS = 20_000;

  private static MemberLogs silent;

  @BeforeAll
  static void silenceMembers() {
    silent = MemberLogs.silence();
  }

  @AfterAll
  static void letMembersSpeak() {
    silent.close();
  }

  @Test
  @Timeout(value = 15, unit = TimeUnit.MINUTES)
  void keepsItsPromisesUnderFaults() {
    Long only = Long.getLong("sim.seed");
    long first = only != null ? only : Long.getLong("sim.first", FreshSeeds.first());
    long seeds = only != null ? 1 : Long.getLong("sim.seeds", 2_000);
    System.out.printf("simulation: %,d seeds from %d on (-Dsim.first=%d)%n", seeds, first, first);
    Figures figures = run(LongStream.range(first, first + seeds));
    if (seeds >= ENOUGH_FOR_ALL_KINDS) {
      // One that never strikes would prove nothing.
      for (FaultKind kind : FaultKind.values()) {
        assertTrue(figures.faults(kind) > 0, () -> "never: " + kind);
      }
      assertTrue(figures.commandsOvertaken() > 0, "no command came late");
      assertTrue(figures.staleWritesRefused() > 0, "no client was paused past its lease");
    }
  }

  @Test
  void keepsItsPromisesWhereItOnceDidNot() {
    run(RegressionSeeds.read().stream().mapToLong(Long::longValue));
  }

  private static Figures run(LongStream seeds) {
    Iterator<Long> iterator = seeds.iterator();
    int threads = Runtime.getRuntime().availableProcessors();
    Campaign.Result result =
        Campaign.run(
            () -> iterator.hasNext() ? iterator.next() : Campaign.NO_MORE,
            Simulation.FAULTY_MS,
            threads);
    if (result.figures().runs() > 0) {
      System.out.print(result.figures());
      System.out.println(result.speed());
    }
    assertNull(result.violation());
    return result.figures();
  }

  @Test
  void doesTheSameForTheSameSeed() {
    long before = 0;
    for (long seed : LongStream.rangeClosed(1, 50).toArray()) {
      long once = Simulation.run(seed, SHORT_MS, Story.SILENT).traceHash();
      assertEquals(once, Simulation.run(seed, SHORT_MS, new Story(10)).traceHash(), "seed " + seed);
      assertNotEquals(before, once);
      before = once;
    }
  }
}

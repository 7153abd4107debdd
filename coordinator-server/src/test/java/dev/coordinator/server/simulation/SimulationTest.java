// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * Runs whole clusters under faults. {@code -Dsim.seed=N} replays one seed; {@code -Dsim.first=N}
 * and {@code -Dsim.seeds=N} choose others than the usual ones.
 */
class SimulationTest {

  private static final long FAULTY_MS = 40_000;

  @Test
  void keepsItsPromisesUnderFaults() {
    Long only = Long.getLong("sim.seed");
    long first = only != null ? only : Long.getLong("sim.first", 1);
    long seeds = only != null ? 1 : Long.getLong("sim.seeds", 200);
    LongStream.range(first, first + seeds)
        .forEach(seed -> assertNull(Simulation.violation(seed, FAULTY_MS), () -> replay(seed)));
  }

  @Test
  void doesTheSameForTheSameSeed() {
    for (long seed = 1; seed <= 5; seed++) {
      long once = Simulation.run(seed, FAULTY_MS, Story.SILENT);
      assertEquals(once, Simulation.run(seed, FAULTY_MS, new Story(10)));
      assertNotEquals(once, Simulation.run(seed + 1, FAULTY_MS, Story.SILENT));
    }
  }

  private static String replay(long seed) {
    return "replay with: mvn -Dfast -pl coordinator-server -am test -Dtest=SimulationTest"
        + " -Dsurefire.failIfNoSpecifiedTests=false -Dsim.seed="
        + seed;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Measures the simulator: it must find mistakes that real systems have shipped. */
class MutantTest {

  private static final int MAX_SEEDS = 1_000;

  @Test
  @Timeout(value = 20, unit = TimeUnit.MINUTES)
  void findsEveryMutantSoon() throws Exception {
    List<MutantHunt.Catch> catches =
        MutantHunt.hunt(
            Mutants.read(Mutants.FOUND), 1, MAX_SEEDS, one -> System.out.println(one.row()));
    assertEquals(List.of(), catches.stream().filter(one -> !one.isFound()).toList());
    assertTrue(MutantHunt.medianSeeds(catches) <= 20, "the median is above 20 seeds");
  }
}

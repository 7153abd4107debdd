// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Measures the simulator: it must find mistakes that real systems have shipped. Each hunt begins
 * with the seed that is known to end it; {@link MutantHunt} tells how many there are before.
 */
class MutantTest {

  private static final int MAX_SEEDS = 1_000;
  private static final int MAX_MEDIAN_SEEDS = 20;

  @Test
  @Timeout(value = 20, unit = TimeUnit.MINUTES)
  void findsEveryMutant() throws Exception {
    List<MutantHunt.Catch> catches;
    try (MemberLogs silent = MemberLogs.silence()) {
      catches =
          MutantHunt.hunt(
              Mutants.read(), Mutant::firstSeed, MAX_SEEDS, one -> System.out.println(one.row()));
    }
    assertEquals(List.of(), catches.stream().filter(one -> !one.isFound()).toList());
    List<Long> seeds = catches.stream().map(MutantTest::seedsFromTheFirst).sorted().toList();
    assertTrue(seeds.get(seeds.size() / 2) <= MAX_MEDIAN_SEEDS, seeds::toString);
    assertTrue(seeds.get(seeds.size() - 1) <= MAX_SEEDS, seeds::toString);
  }

  /** As many as a hunt from seed 1 takes, or more. */
  private static long seedsFromTheFirst(MutantHunt.Catch one) {
    return one.mutant().firstSeed() - 1 + one.seeds();
  }
}

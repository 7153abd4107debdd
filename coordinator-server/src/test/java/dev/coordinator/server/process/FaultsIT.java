// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A bounded run of {@link FaultRunner}, with faults of its own each time: the seed is new and
 * printed. {@code -Dfaults.seed} repeats one, {@code -Dfaults.least} makes it longer.
 */
@Tag("extra-tools")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class FaultsIT {

  private static final int PAUSE_MS = 10;
  private static final long LEAST_OPERATIONS = 50_000;

  @Test
  void threeMembersKeepTheirPromises() throws IOException, InterruptedException {
    assertEquals(List.of(), Need.missing(), "what these tests need and this machine lacks");
    long seed = Long.getLong("faults.seed", System.currentTimeMillis());
    int faults = Integer.getInteger("faults.least", 60);
    Set<Need> needs = Need.met();
    int members = 3;
    FaultRun run =
        new FaultRun(
            new FaultRun.Plan(
                seed,
                Duration.ZERO,
                faults,
                LEAST_OPERATIONS,
                members,
                FaultKind.possible(needs, members),
                needs,
                PAUSE_MS,
                Path.of(System.getProperty("java.io.tmpdir"))),
            System.out);
    try {
      run.run();
    } finally {
      System.out.printf("seed %d%n%s%n%s%n", seed, run.report(), run.tally());
    }
    assertTrue(run.report().kinds() >= 12, "fewer than 12 kinds of faults");
  }
}

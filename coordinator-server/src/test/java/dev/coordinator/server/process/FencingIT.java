// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Holders that are stopped for longer than their lease lives, and what becomes of their work. */
@Tag("extra-tools")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class FencingIT {

  private static final Duration DURATION = Duration.ofSeconds(25);
  private static final long INTERVAL_MS = 5_000;

  @TempDir Path directory;

  @Test
  void aRegisterThatChecksTokensLosesNothing() throws IOException, InterruptedException {
    FencingTrial.Result result = run(FencingTrial.Check.TOKEN);
    System.out.println("Token checked: " + result);
    assertEquals(0, result.lost());
    assertTrue(result.refused() > 0, "no holder woke up in the middle of its work");
  }

  @Test
  void oneThatDoesNotCheckLosesUpdates() throws IOException, InterruptedException {
    FencingTrial.Result result = run(FencingTrial.Check.NONE);
    System.out.println("Nothing checked: " + result);
    assertTrue(result.lost() > 0, "the pauses do not bite");
  }

  private FencingTrial.Result run(FencingTrial.Check check)
      throws IOException, InterruptedException {
    return new FencingTrial(check, INTERVAL_MS, true).run(directory, DURATION);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.time.ZoneOffset;

/** Seeds that change with the day and with the commit, so that each build tries others. */
final class FreshSeeds {

  /** Leaves room for a million seeds a day and commit. */
  private static final long SPACING = 1_000_000;

  private FreshSeeds() {}

  static long first() {
    String name = LocalDate.now(ZoneOffset.UTC) + commit();
    return Integer.toUnsignedLong(name.hashCode()) * SPACING;
  }

  /** The commit that is checked out; empty outside of a repository. */
  private static String commit() {
    try {
      Process git =
          new ProcessBuilder("git", "rev-parse", "HEAD")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      return new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      return "";
    }
  }
}

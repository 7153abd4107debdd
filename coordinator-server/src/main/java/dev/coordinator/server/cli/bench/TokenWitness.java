// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.bench;

import dev.coordinator.server.cli.CliException;
import dev.coordinator.server.cli.ExitCode;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Sees every token that is granted, and objects if those of a lock do not strictly rise. */
final class TokenWitness {

  private final Map<String, Long> lastTokens = new ConcurrentHashMap<>();

  void granted(String lock, long token) {
    lastTokens.compute(
        lock,
        (name, last) -> {
          if (last != null && Long.compareUnsigned(token, last) <= 0) {
            throw new CliException(
                ExitCode.FAILED,
                "WRONG: %s was granted with token %d after token %d".formatted(name, token, last));
          }
          return token;
        });
  }
}

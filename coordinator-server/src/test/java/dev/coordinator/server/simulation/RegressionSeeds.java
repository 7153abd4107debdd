// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The seeds that once found something, each on a line with what it was. */
final class RegressionSeeds {

  private static final String RESOURCE = "/simulation/regression-seeds.txt";

  private RegressionSeeds() {}

  static List<Long> read() {
    try (InputStream in = RegressionSeeds.class.getResourceAsStream(RESOURCE)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.isBlank() && !line.startsWith("#"))
          .map(line -> Long.valueOf(line.substring(0, line.indexOf(' '))))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The known mistakes, as a list of changes has them. */
final class Mutants {

  private static final String RESOURCE = "/simulation/mutants.txt";

  private final List<Mutant> mutants = new ArrayList<>();
  private final StringBuilder original = new StringBuilder();
  private final StringBuilder planted = new StringBuilder();
  private String name;
  private String shipped;
  private long firstSeed;
  private String className;

  private Mutants() {}

  static List<Mutant> read() {
    try (InputStream in = Mutants.class.getResourceAsStream(RESOURCE)) {
      Mutants reader = new Mutants();
      new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().forEach(reader::take);
      reader.end();
      return reader.mutants;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void take(String line) {
    if (line.startsWith("== ")) {
      end();
      name = line.substring(3);
    } else if (line.startsWith("shipped:")) {
      shipped = line.substring(8).strip();
    } else if (line.startsWith("found by: ")) {
      firstSeed = Long.parseLong(line.substring(10));
    } else if (line.startsWith("in: ")) {
      className = Mutant.OURS + line.substring(4);
    } else if (line.startsWith("-")) {
      original.append(line, 1, line.length()).append('\n');
    } else if (line.startsWith("+")) {
      planted.append(line, 1, line.length()).append('\n');
    } else if (!line.isBlank() && !line.startsWith("#")) {
      throw new IllegalStateException(RESOURCE + " has a line that means nothing: " + line);
    }
  }

  private void end() {
    if (name != null) {
      mutants.add(
          new Mutant(name, shipped, firstSeed, className, original.toString(), planted.toString()));
    }
    name = null;
    shipped = "";
    firstSeed = 1;
    original.setLength(0);
    planted.setLength(0);
  }
}

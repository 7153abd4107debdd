// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The known mistakes, as lists of changes have them. */
final class Mutants {

  /** Those that the simulator is known to find. */
  static final String FOUND = "/simulation/mutants.txt";

  /** Those that were not hunted to an end yet. */
  static final String OPEN = "/simulation/mutants-open.txt";

  private final String resource;
  private final List<Mutant> mutants = new ArrayList<>();
  private final StringBuilder original = new StringBuilder();
  private final StringBuilder planted = new StringBuilder();
  private String name;
  private String shipped;
  private String className;

  private Mutants(String resource) {
    this.resource = resource;
  }

  static List<Mutant> read(String resource) {
    try (InputStream in = Mutants.class.getResourceAsStream(resource)) {
      Mutants reader = new Mutants(resource);
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
    } else if (line.startsWith("in: ")) {
      className = Mutant.OURS + line.substring(4);
    } else if (line.startsWith("-")) {
      original.append(line, 1, line.length()).append('\n');
    } else if (line.startsWith("+")) {
      planted.append(line, 1, line.length()).append('\n');
    } else if (!line.isBlank() && !line.startsWith("#")) {
      throw new IllegalStateException(resource + " has a line that means nothing: " + line);
    }
  }

  private void end() {
    if (name != null) {
      mutants.add(new Mutant(name, shipped, className, original.toString(), planted.toString()));
    }
    name = null;
    original.setLength(0);
    planted.setLength(0);
  }
}

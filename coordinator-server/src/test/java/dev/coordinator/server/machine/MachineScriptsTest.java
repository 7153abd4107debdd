// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Replays the scripts under {@code src/test/resources/machine}; {@link MachineScript} reads them.
 */
class MachineScriptsTest {

  static List<Path> scripts() throws IOException {
    Path folder = Path.of(System.getProperty("basedir", ""), "src/test/resources/machine");
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".txt")).sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("scripts")
  void machineAnswersAsTheScriptSays(Path script) throws IOException {
    String transcript = MachineScript.replay(Files.readAllLines(script));
    if (Boolean.getBoolean("golden.update")) {
      Files.writeString(script, transcript);
    }
    assertEquals(Files.readString(script), transcript);
  }
}

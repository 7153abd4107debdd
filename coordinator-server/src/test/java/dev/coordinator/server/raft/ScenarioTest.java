// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Plays every script of {@code raft/scenarios} and compares the story with the one below its line
 * of dashes. With {@code -Dgolden.update=true} the files are rewritten; read the difference before
 * you keep it.
 */
class ScenarioTest {

  private static final Path FOLDER = Path.of("src/test/resources/raft/scenarios");
  private static final String LINE = "----\n";

  @TestFactory
  List<DynamicTest> scenarios() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      List<DynamicTest> tests =
          files
              .filter(file -> file.toString().endsWith(".txt"))
              .sorted()
              .map(file -> DynamicTest.dynamicTest(nameOf(file), () -> check(file)))
              .toList();
      assertFalse(tests.isEmpty(), "no scenarios in " + FOLDER);
      return tests;
    }
  }

  private static String nameOf(Path file) {
    return file.getFileName().toString().replace(".txt", "").replace('-', ' ');
  }

  private static void check(Path file) throws IOException {
    String text = Files.readString(file).replace("\r\n", "\n");
    int line = text.indexOf(LINE);
    boolean update = Boolean.getBoolean("golden.update");
    assertTrue(update || line >= 0, file + " has no line of dashes");
    String script = line < 0 ? text.stripTrailing() + "\n" : text.substring(0, line);
    String story = Scenario.play(script);
    if (update) {
      Files.writeString(file, script + LINE + story);
    } else {
      assertEquals(text.substring(line + LINE.length()), story, file.toString());
    }
  }
}

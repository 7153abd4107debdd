// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.ExtraTools;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Lets Spin visit every state of the models in {@code src/test/spin}, within the bounds that they
 * name, and shows by broken twins that the models can fail.
 */
@Tag("extra-tools")
class SpinTest {

  private static final Path MODELS = Path.of("src", "test", "spin");
  private static final String DEPTH = "-m1000000";
  private static final long TIMEOUT_MINUTES = 8;

  private static String spin;
  private static String gcc;

  @TempDir Path directory;

  @BeforeAll
  static void findTools() {
    spin = ExtraTools.find("spin", "install the Debian package spin");
    gcc = ExtraTools.find("gcc", "install the Debian packages gcc and libc6-dev");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "election.pml",
        "election.pml -DN=5 -DMAX_TERM=1",
        "membership.pml",
      })
  void holdsInEveryState(String model) throws Exception {
    String report = search(model);
    assertTrue(report.contains("errors: 0"), report);
    assertTrue(!report.contains("Search not completed"), report);
    assertTrue(!report.contains("max search depth too small"), report);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "election.pml -DFORGET_VOTE",
        "election.pml -DN=5 -DMAX_TERM=1 -DCOUNT_DUPLICATES",
        "membership.pml -DNO_JOINT_PHASE",
        "membership.pml -DLEAVE_EARLY",
      })
  void failsWithAMistakePlanted(String model) throws Exception {
    String report = search(model);
    assertTrue(report.contains("assertion violated ((leaderOf[term[me]]"), report);
    assertTrue(report.contains("errors: 1"), report);
  }

  @Test
  void aModelThatDoesNotCompileIsNoSuccess() throws Exception {
    Path broken = Files.writeString(directory.resolve("broken.pml"), "init { nonsense }\n");
    assertTrue(run(List.of(spin, "-a", broken.toString())).exitCode != 0);
  }

  private String search(String model) throws Exception {
    List<String> words = new ArrayList<>(List.of(model.split(" ")));
    Path source = MODELS.resolve(words.remove(0)).toAbsolutePath();
    List<String> generate = new ArrayList<>(List.of(spin));
    generate.addAll(words);
    generate.addAll(List.of("-a", source.toString()));
    succeed(generate);
    succeed(List.of(gcc, "-O2", "-w", "-DSAFETY", "-o", "pan", "pan.c"));
    return succeed(List.of(directory.resolve("pan").toString(), DEPTH));
  }

  private String succeed(List<String> command) throws Exception {
    Finished finished = run(command);
    assertEquals(0, finished.exitCode, () -> command + "\n" + finished.output);
    return finished.output;
  }

  private record Finished(int exitCode, String output) {}

  private Finished run(List<String> command) throws IOException, InterruptedException {
    Path output = directory.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    if (!process.waitFor(TIMEOUT_MINUTES, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new AssertionError(command + " takes more than " + TIMEOUT_MINUTES + " minutes");
    }
    return new Finished(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
  }
}

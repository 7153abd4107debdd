// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.client.CoordinatorClient;
import dev.coordinator.client.FencingGuard;
import dev.coordinator.client.LeaderElection;
import dev.coordinator.server.InProcessCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What README.md shows is what is compiled and run here. */
class ReadmeTest {

  private static final Path README = Path.of("..", "README.md");
  private static final Path SOURCE =
      Path.of("src/test/java/dev/coordinator/examples/FirstLock.java");

  @TempDir private Path directory;

  @Test
  void examplesWork() throws Exception {
    try (InProcessCluster cluster = InProcessCluster.start(directory, 3, Map.of())) {
      cluster.awaitLeader();
      String[] endpoints = {cluster.clientAddress(1), cluster.clientAddress(2)};
      FencingGuard guard = new FencingGuard();
      List<String> written = new ArrayList<>();
      FirstLock.takeLock(endpoints, (token, text) -> guard.run(token, () -> written.add(text)));
      assertEquals(List.of("backup"), written);

      CountDownLatch ticks = new CountDownLatch(3);
      try (CoordinatorClient client = CoordinatorClient.connect(endpoints);
          LeaderElection election =
              FirstLock.lead(client, (token, text) -> guard.run(token, ticks::countDown))) {
        assertTrue(ticks.await(30, TimeUnit.SECONDS));
        assertTrue(election.isLeader());
      }
    }
  }

  @Test
  void readmeShowsTheExamples() throws IOException {
    String readme = Files.readString(README);
    List<String> examples = examples();
    assertEquals(2, examples.size());
    for (String example : examples) {
      assertTrue(readme.contains("```java\n" + example + "```"), "README.md lacks:\n" + example);
    }
  }

  /** Links of the README and of the documents that it leads to must not lead nowhere. */
  @Test
  void linksLeadSomewhere() throws IOException {
    Pattern link = Pattern.compile("\\]\\(([^)#:]+)(?:#[^)]*)?\\)");
    for (Path document : List.of(README, Path.of("..", "docs", "operations.md"))) {
      Matcher matcher = link.matcher(Files.readString(document));
      List<String> broken = new ArrayList<>();
      while (matcher.find()) {
        if (!Files.exists(document.resolveSibling(matcher.group(1)))) {
          broken.add(matcher.group(1));
        }
      }
      assertEquals(List.of(), broken, "broken links in " + document);
    }
  }

  /** The marked parts of the source, moved to the left margin. */
  private static List<String> examples() throws IOException {
    List<String> examples = new ArrayList<>();
    StringBuilder example = null;
    for (String line : Files.readAllLines(SOURCE)) {
      String text = line.strip();
      if (text.equals("// README: end")) {
        assertFalse(example == null, "an end without a beginning");
        // A last line that is empty would count as one without indentation.
        examples.add(example.toString().stripTrailing().stripIndent() + "\n");
        example = null;
      } else if (text.startsWith("// README: ")) {
        example = new StringBuilder();
      } else if (example != null) {
        example.append(line).append('\n');
      }
    }
    return examples;
  }
}

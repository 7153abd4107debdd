// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.coordinator.server.InProcessCluster;
import dev.coordinator.server.config.ServerConfig;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** docs/operations.md and the example configuration keep up with the program. */
class OperationsDocumentTest {

  private static final Path DOCUMENT = Path.of("..", "docs", "operations.md");

  @TempDir private Path directory;

  @Test
  void everyKeyIsDescribedAsInTheProgram() throws IOException {
    String document = Files.readString(DOCUMENT);
    for (ServerConfig.KeyDescription key : ServerConfig.describe()) {
      String shownDefault = key.defaultText().isEmpty() ? "" : "`" + key.defaultText() + "`";
      String row = "| `" + key.name() + "` | " + shownDefault + " | " + key.meaning() + " |";
      assertTrue(document.contains(row), "docs/operations.md lacks the row\n" + row);
    }
  }

  @Test
  void everyMetricIsListed() throws Exception {
    String document = Files.readString(DOCUMENT);
    List<String> missing = new ArrayList<>();
    try (InProcessCluster cluster = InProcessCluster.start(directory, 1, Map.of())) {
      cluster.awaitLeader();
      for (String line : metrics(cluster).split("\n")) {
        if (line.startsWith("# TYPE coordinator_")) {
          String name = line.split(" ")[2].replaceAll("_max$", "");
          if (!document.contains("| `" + name + "`")) {
            missing.add(name);
          }
        }
      }
    }
    assertEquals(List.of(), missing, "metrics that docs/operations.md does not list");
  }

  private static String metrics(InProcessCluster cluster) throws Exception {
    URI uri = URI.create("http://" + cluster.server(1).httpAddress().orElseThrow() + "/metrics");
    HttpResponse<String> response =
        HttpClient.newHttpClient()
            .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
    assertEquals(200, response.statusCode());
    assertTrue(response.body().contains("# TYPE coordinator_raft_term gauge"), response.body());
    return response.body();
  }

  @Test
  void everyAlertIsExplained() throws IOException {
    String document = Files.readString(DOCUMENT);
    JsonNode rules =
        new YAMLMapper()
            .readTree(Path.of("..", "deploy", "prometheus", "alerts.yml").toFile())
            .findPath("rules");
    assertTrue(rules.size() > 10, "rules found: " + rules.size());
    for (JsonNode rule : rules) {
      String name = rule.path("alert").asText();
      assertTrue(document.contains("`" + name + "`"), "docs/operations.md lacks " + name);
    }
  }

  @Test
  void theExampleConfigurationIsValid() {
    ServerConfig config =
        ServerConfig.load(
            Optional.of(Path.of("..", "deploy", "config", "member.yaml")), Map.of(), Map.of());
    assertEquals(3, config.members().size());
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.dashboards;

import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the dashboard and the alert rules ask Prometheus. */
final class Queries {

  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Path DASHBOARD = ROOT.resolve("grafana/coordinator.json");
  static final Path ALERTS = ROOT.resolve("deploy/prometheus/alerts.yml");

  /** Long enough to reach back over all traffic of a test. */
  private static final String RATE_INTERVAL = "5m";

  private Queries() {}

  /** The queries of each panel, with the variables filled in as Grafana does. */
  static Map<String, List<String>> ofDashboard() throws IOException {
    Map<String, List<String>> queries = new LinkedHashMap<>();
    JsonNode dashboard = new ObjectMapper().readTree(DASHBOARD.toFile());
    for (JsonNode panel : dashboard.path("panels")) {
      for (JsonNode target : panel.path("targets")) {
        String query =
            target
                .path("expr")
                .asText()
                .replace("$__rate_interval", RATE_INTERVAL)
                .replace("$cluster", "coordinator")
                .replace("$member", ".*");
        assertFalse(query.contains("$"), "a variable without a value in: " + query);
        queries
            .computeIfAbsent(panel.path("title").asText(), title -> new ArrayList<>())
            .add(query);
      }
    }
    return queries;
  }

  /** The expression of each alert. */
  static Map<String, String> ofAlerts() throws IOException {
    Map<String, String> alerts = new LinkedHashMap<>();
    for (JsonNode group : new YAMLMapper().readTree(ALERTS.toFile()).path("groups")) {
      for (JsonNode rule : group.path("rules")) {
        alerts.put(rule.path("alert").asText(), rule.path("expr").asText());
      }
    }
    return alerts;
  }
}

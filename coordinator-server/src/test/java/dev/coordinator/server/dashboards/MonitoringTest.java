// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.dashboards;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.coordinator.server.InProcessCluster;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The dashboard and the alert rules against a real Prometheus that scrapes a real cluster: every
 * query must be valid and, after traffic of every kind, find something.
 */
@Tag("extra-tools")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class MonitoringTest {

  private static final Path CONFIG =
      Path.of("../deploy/prometheus/prometheus.yml").toAbsolutePath().normalize();

  private static final String SCRAPE_INTERVAL = "500ms";

  private static final Pattern METRIC =
      Pattern.compile("\\b(?:up|(?:coordinator|process|jvm|system)_\\w+)\\b(?=\\{|\\[|\\s|\\)|$)");

  private static final List<String> ABOUT_LOST_MEMBERS =
      List.of(
          "CoordinatorMemberDown",
          "CoordinatorQuorumAtRisk",
          "CoordinatorNoLeader",
          "CoordinatorMemberWithoutLeader");

  @TempDir private Path directory;

  @Test
  void alertRulesPassPromtool() throws Exception {
    assertPromtoolAccepts("check", "rules", Queries.ALERTS.toString());
    assertPromtoolAccepts("check", "config", CONFIG.toString());
  }

  private static void assertPromtoolAccepts(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(PrometheusProcess.tool("promtool")));
    command.addAll(List.of(arguments));
    Process promtool = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(promtool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, promtool.waitFor(), output);
  }

  @Test
  void everyQueryFindsData() throws Exception {
    try (InProcessCluster cluster =
            InProcessCluster.start(
                directory, 3, Map.of("limits.maxWaitersPerLock", "1", "lease.minTtl", "100ms"));
        PrometheusProcess prometheus =
            PrometheusProcess.start(prometheusConfig(cluster), directory)) {
      cluster.awaitLeader();
      Traffic traffic = new Traffic(cluster);
      traffic.everyKind();
      awaitScrapeOf(prometheus, "coordinator_lease_expired_total > 0");
      // Only what grows between two scrapes of a member has a rate.
      awaitScrapeOf(prometheus, "count(coordinator_raft_term) == 3");
      for (String alert : ABOUT_LOST_MEMBERS) {
        assertEquals(
            List.of(), prometheus.query(Queries.ofAlerts().get(alert)), alert + " without cause");
      }

      int leader = traffic.loseLeader();
      traffic.everyKind();
      awaitScrapeOf(prometheus, "coordinator_lease_expired_total{member='" + leader + "'} > 0");
      awaitDashboard(prometheus, traffic);
      checkAlerts(prometheus);

      traffic.loseMajority();
      for (String alert : ABOUT_LOST_MEMBERS) {
        awaitScrapeOf(prometheus, Queries.ofAlerts().get(alert));
      }
    }
  }

  /** A rate needs two scrapes, so what happened first just now gets some more of it. */
  private static void awaitDashboard(PrometheusProcess prometheus, Traffic traffic)
      throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    List<String> empty = queriesWithoutData(prometheus);
    while (!empty.isEmpty() && System.nanoTime() - end < 0) {
      traffic.everyKind();
      empty = queriesWithoutData(prometheus);
    }
    assertEquals(List.of(), empty, "queries of the dashboard that find nothing");
  }

  private static List<String> queriesWithoutData(PrometheusProcess prometheus) throws Exception {
    Map<String, List<String>> queries = Queries.ofDashboard();
    assertTrue(queries.size() > 30, "panels found: " + queries.size());
    List<String> empty = new ArrayList<>();
    for (Map.Entry<String, List<String>> panel : queries.entrySet()) {
      for (String query : panel.getValue()) {
        List<Double> values = prometheus.query(query);
        boolean finds = values.stream().anyMatch(value -> !value.isNaN());
        if (!finds) {
          empty.add(panel.getKey() + ": " + query + " -> " + values);
        }
      }
    }
    return empty;
  }

  /** An alert that is not due finds nothing, but each metric that it names must exist. */
  private static void checkAlerts(PrometheusProcess prometheus) throws Exception {
    for (Map.Entry<String, String> alert : Queries.ofAlerts().entrySet()) {
      prometheus.query(alert.getValue());
      Set<String> metrics = new TreeSet<>();
      Matcher matcher = METRIC.matcher(alert.getValue());
      while (matcher.find()) {
        metrics.add(matcher.group());
      }
      assertFalse(metrics.isEmpty(), "no metric found in " + alert.getKey());
      for (String metric : metrics) {
        assertFalse(
            prometheus.query(metric).isEmpty(),
            alert.getKey() + " looks at " + metric + ", which does not exist");
      }
    }
  }

  private static void awaitScrapeOf(PrometheusProcess prometheus, String expression)
      throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (prometheus.query(expression).isEmpty()) {
      if (System.nanoTime() - end >= 0) {
        fail("'" + expression + "' found nothing within a minute");
      }
      TimeUnit.MILLISECONDS.sleep(100);
    }
  }

  /** The configuration that is shipped, with the addresses of this cluster. */
  private Path prometheusConfig(InProcessCluster cluster) throws IOException {
    String config = Files.readString(CONFIG);
    for (int member = 1; member <= 3; member++) {
      String shipped = "member-" + member + ":7422";
      assertTrue(config.contains(shipped), CONFIG + " does not scrape " + shipped);
      config =
          config.replace(shipped, cluster.server(member).httpAddress().orElseThrow().toString());
    }
    config =
        config
            .replaceAll("(scrape|evaluation)_interval: \\w+", "$1_interval: " + SCRAPE_INTERVAL)
            .replace("alerts.yml", Queries.ALERTS.toString());
    Path file = directory.resolve("prometheus.yml");
    Files.writeString(file, config);
    return file;
  }
}

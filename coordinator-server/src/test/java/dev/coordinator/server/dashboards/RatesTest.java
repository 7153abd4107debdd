// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.dashboards;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.InProcessCluster;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Rates are of counters. To Prometheus a gauge that falls, as some do when a member starts, is a
 * counter that began anew, and all of its value counts as growth.
 */
class RatesTest {

  private static final Pattern RATE =
      Pattern.compile("\\b(?:rate|irate|increase)\\(\\s*([a-zA-Z_:][a-zA-Z0-9_:]*)");

  private static final Pattern GAUGE = Pattern.compile("# TYPE (\\S+) gauge");

  @TempDir private Path directory;

  @Test
  void noQueryTakesTheRateOfAGauge() throws Exception {
    List<String> queries = new ArrayList<>(Queries.ofAlerts().values());
    Queries.ofDashboard().values().forEach(queries::addAll);
    List<String> rated =
        queries.stream()
            .flatMap(query -> RATE.matcher(query).results())
            .map(match -> match.group(1))
            .toList();
    assertTrue(rated.size() > 40, "rates found: " + rated.size());
    Set<String> gauges = gauges();
    assertEquals(List.of(), rated.stream().filter(gauges::contains).toList());
  }

  private Set<String> gauges() throws Exception {
    // Three, since some gauges are about the others.
    try (InProcessCluster cluster = InProcessCluster.start(directory, 3, Map.of())) {
      Set<String> gauges =
          GAUGE
              .matcher(cluster.metrics(cluster.awaitLeader()))
              .results()
              .map(match -> match.group(1))
              .collect(Collectors.toSet());
      assertTrue(gauges.contains("coordinator_raft_log_commit_index"), gauges::toString);
      return gauges;
    }
  }
}

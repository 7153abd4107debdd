// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Names are an interface: dashboards and alerts are written against them. */
class NodeMetricsTest {

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final NodeMetrics metrics = NodeMetrics.register(registry, List.of("FOLLOWER", "LEADER"));

  private Set<String> families() {
    return Arrays.stream(registry.scrape().split("\n"))
        .filter(line -> line.startsWith("# TYPE "))
        .map(line -> line.substring("# TYPE ".length()))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private List<String> samples(String prefix) {
    return registry.scrape().lines().filter(line -> line.startsWith(prefix)).sorted().toList();
  }

  @Test
  void hasTheNamesThatDashboardsUse() {
    metrics.raft().peers(List.of(2L, 3L));
    metrics.loop().mailboxDepth(() -> 3);
    metrics.limits().refused("limits.maxLeases");
    metrics.raft().electionEnded(true, "WON");
    metrics.raft().appendRejected(2);
    metrics.locks().released("EXPIRED", 10);
    metrics.locks().waitEnded("timeout", 10);
    assertEquals(
        Set.of(
            "coordinator_lease_active gauge",
            "coordinator_lease_expired_total counter",
            "coordinator_lease_granted_total counter",
            "coordinator_lease_keepalive_slack_seconds histogram",
            "coordinator_lease_keepalive_slack_seconds_max gauge",
            "coordinator_lease_released_total counter",
            "coordinator_lease_renewed_too_late_total counter",
            "coordinator_lease_renewed_total counter",
            "coordinator_lease_revoked_total counter",
            "coordinator_limit_rejected_total counter",
            "coordinator_lock_acquired_total counter",
            "coordinator_lock_held gauge",
            "coordinator_lock_hold_duration_seconds histogram",
            "coordinator_lock_hold_duration_seconds_max gauge",
            "coordinator_lock_released_total counter",
            "coordinator_lock_wait_duration_seconds histogram",
            "coordinator_lock_wait_duration_seconds_max gauge",
            "coordinator_lock_waiters gauge",
            "coordinator_loop_stall_seconds histogram",
            "coordinator_loop_stall_seconds_max gauge",
            "coordinator_mailbox_depth gauge",
            "coordinator_mailbox_rejected_total counter",
            "coordinator_raft_append_rejected_total counter",
            "coordinator_raft_apply_latency_seconds histogram",
            "coordinator_raft_apply_latency_seconds_max gauge",
            "coordinator_raft_commit_latency_seconds histogram",
            "coordinator_raft_commit_latency_seconds_max gauge",
            "coordinator_raft_election_duration_seconds histogram",
            "coordinator_raft_election_duration_seconds_max gauge",
            "coordinator_raft_elections_total counter",
            "coordinator_raft_has_leader gauge",
            "coordinator_raft_leader_changes_total counter",
            "coordinator_raft_log_after_snapshot_bytes gauge",
            "coordinator_raft_log_after_snapshot_entries gauge",
            "coordinator_raft_log_applied_index gauge",
            "coordinator_raft_log_commit_index gauge",
            "coordinator_raft_log_durable_index gauge",
            "coordinator_raft_log_last_index gauge",
            "coordinator_raft_messages_ignored_total counter",
            "coordinator_raft_peer_silence_seconds gauge",
            "coordinator_raft_proposals_failed_total counter",
            "coordinator_raft_proposals_pending gauge",
            "coordinator_raft_read_latency_seconds histogram",
            "coordinator_raft_read_latency_seconds_max gauge",
            "coordinator_raft_reads_failed_total counter",
            "coordinator_raft_replication_lag gauge",
            "coordinator_raft_role gauge",
            "coordinator_raft_snapshots_installed_total counter",
            "coordinator_raft_term gauge",
            "coordinator_raft_term_changes_total counter",
            "coordinator_raft_truncations_total counter",
            "coordinator_watch_active gauge",
            "coordinator_watch_compacted_total counter",
            "coordinator_watch_ended_total counter",
            "coordinator_watch_events_delivered_total counter",
            "coordinator_watch_events_published_total counter",
            "coordinator_watch_history_size gauge"),
        families());
  }

  @Test
  void showsOneRoleAtATime() {
    metrics.raft().role("FOLLOWER", 3, false);
    metrics.raft().role("LEADER", 4, true);
    assertEquals(
        List.of(
            "coordinator_raft_role{role=\"follower\"} 0.0",
            "coordinator_raft_role{role=\"leader\"} 1.0"),
        samples("coordinator_raft_role"));
    assertEquals(List.of("coordinator_raft_term 4.0"), samples("coordinator_raft_term "));
    assertEquals(List.of("coordinator_raft_has_leader 1.0"), samples("coordinator_raft_has"));
  }

  @Test
  void forgetsFollowersWithTheLeadership() {
    metrics.raft().peers(List.of(2L, 3L));
    metrics.raft().follower(2, 17, 250);
    metrics.raft().follower(9, 1, 1);
    assertEquals(
        List.of(
            "coordinator_raft_replication_lag{peer=\"2\"} 17.0",
            "coordinator_raft_replication_lag{peer=\"3\"} 0.0"),
        samples("coordinator_raft_replication_lag"));
    assertTrue(
        samples("coordinator_raft_peer_silence_seconds")
            .contains("coordinator_raft_peer_silence_seconds{peer=\"2\"} 0.25"));
    metrics.raft().noFollowers();
    assertTrue(
        samples("coordinator_raft_replication_lag")
            .contains("coordinator_raft_replication_lag{peer=\"2\"} 0.0"));
  }

  @Test
  void followsTheConfiguration() {
    metrics.raft().peers(List.of(2L, 3L));
    metrics.raft().follower(3, 5, 0);
    metrics.raft().peers(List.of(3L, 4L));
    assertEquals(
        List.of(
            "coordinator_raft_replication_lag{peer=\"3\"} 5.0",
            "coordinator_raft_replication_lag{peer=\"4\"} 0.0"),
        samples("coordinator_raft_replication_lag"));
  }

  @Test
  void putsLatenciesIntoFewBuckets() {
    metrics.raft().committed(1_500_000);
    List<String> buckets = samples("coordinator_raft_commit_latency_seconds_bucket");
    assertEquals(15, buckets.size(), "fourteen and infinity");
    assertTrue(
        buckets.contains("coordinator_raft_commit_latency_seconds_bucket{le=\"0.001\"} 0"),
        () -> String.join("\n", buckets));
    assertTrue(
        buckets.contains("coordinator_raft_commit_latency_seconds_bucket{le=\"0.002\"} 1"),
        () -> String.join("\n", buckets));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;

/**
 * Leases: how many there are, what becomes of them, and how close they come to their end.
 *
 * <p>Every member tells how many there are. What happens is counted once in the cluster, by the
 * leader, so that sums over members are right and a replay of the log counts nothing again.
 */
public final class LeaseMetrics {

  private final Reading active;
  private final Counter granted;
  private final Counter renewed;
  private final Counter renewedTooLate;
  private final Counter expired;
  private final Counter revoked;
  private final Counter released;
  private final DistributionSummary slack;

  public LeaseMetrics(MeterRegistry registry) {
    active = Reading.gauge(registry, "coordinator.lease.active", "Living leases.");
    granted = counter(registry, "coordinator.lease.granted", "Leases made.");
    renewed = counter(registry, "coordinator.lease.renewed", "Renewals of living leases.");
    renewedTooLate =
        counter(
            registry,
            "coordinator.lease.renewed.too.late",
            "Renewals of leases that had ended or never were.");
    expired = counter(registry, "coordinator.lease.expired", "Leases that nobody renewed in time.");
    revoked = counter(registry, "coordinator.lease.revoked", "Leases that were revoked.");
    released =
        counter(
            registry,
            "coordinator.lease.released",
            "Leases made with a lock that ended with its release.");
    slack =
        DistributionSummary.builder("coordinator.lease.keepalive.slack")
            .description("What was left of the TTL when a renewal came.")
            .baseUnit("seconds")
            .serviceLevelObjectives(0.1, 0.25, 0.5, 1, 2, 3, 5, 7, 10, 20, 30, 60, 300, 3_600)
            .register(registry);
  }

  public void active(int leases) {
    active.set(leases);
  }

  public void granted() {
    granted.increment();
  }

  public void renewed(long slackMs) {
    renewed.increment();
    slack.record(slackMs / 1e3);
  }

  public void renewedTooLate() {
    renewedTooLate.increment();
  }

  public void expired() {
    expired.increment();
  }

  public void revoked() {
    revoked.increment();
  }

  public void released() {
    released.increment();
  }

  private static Counter counter(MeterRegistry registry, String name, String description) {
    return Counter.builder(name).description(description).register(registry);
  }
}

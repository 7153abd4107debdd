// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/** Watches: how many there are, how much they are told, and how many fell behind. */
public final class WatchMetrics {

  private final Reading active;
  private final Reading historySize;
  private final Counter published;
  private final Counter delivered;
  private final Counter compacted;
  private final Counter ended;

  public WatchMetrics(MeterRegistry registry) {
    active = Reading.gauge(registry, "coordinator.watch.active", "Watches of this member.");
    historySize =
        Reading.gauge(registry, "coordinator.watch.history.size", "Events that are still kept.");
    published =
        counter(registry, "coordinator.watch.events.published", "Events added to the history.");
    delivered =
        counter(registry, "coordinator.watch.events.delivered", "Events that watches took.");
    compacted =
        counter(
            registry,
            "coordinator.watch.compacted",
            "Watches that wanted events that are no longer kept.");
    ended =
        counter(
            registry,
            "coordinator.watch.ended",
            "Watches that this member ended: it knew no leader, or stopped.");
  }

  public void active(int watches) {
    active.set(watches);
  }

  public void published(int events, long kept) {
    published.increment(events);
    historySize.set(kept);
  }

  public void delivered(int events) {
    delivered.increment(events);
  }

  public void compacted() {
    compacted.increment();
  }

  public void ended(int watches) {
    ended.increment(watches);
  }

  private static Counter counter(MeterRegistry registry, String name, String description) {
    return Counter.builder(name).description(description).register(registry);
  }
}

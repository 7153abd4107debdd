// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.metrics;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import java.util.Collection;

/** The metrics of everything that one node loop drives. */
public record NodeMetrics(
    RaftMetrics raft,
    LeaseMetrics leases,
    LockMetrics locks,
    LoopMetrics loop,
    LimitMetrics limits,
    WatchMetrics watches) {

  /** Registers them all. */
  public static NodeMetrics register(MeterRegistry registry, Collection<String> roleNames) {
    return new NodeMetrics(
        new RaftMetrics(registry, roleNames),
        new LeaseMetrics(registry),
        new LockMetrics(registry),
        new LoopMetrics(registry),
        new LimitMetrics(registry),
        new WatchMetrics(registry));
  }

  /** Metrics that go nowhere. */
  public static NodeMetrics none(Collection<String> roleNames) {
    return register(new CompositeMeterRegistry(), roleNames);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/** Calls that were refused because of a limit of the configuration. Thread-safe. */
public final class LimitMetrics {

  private final MeterRegistry registry;

  /** Those of one registry count together. */
  public LimitMetrics(MeterRegistry registry) {
    this.registry = registry;
  }

  /**
   * A call was refused.
   *
   * @param limit the key of the configuration
   */
  public void refused(String limit) {
    Counter.builder("coordinator.limit.rejected")
        .description("Calls refused because of a limit of the configuration.")
        .tag("limit", limit)
        .register(registry)
        .increment();
  }
}

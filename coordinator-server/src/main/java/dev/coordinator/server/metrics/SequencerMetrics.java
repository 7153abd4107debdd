// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/** Counts the fencing tokens that were checked. */
public final class SequencerMetrics {

  private final Counter valid;
  private final Counter stale;

  public SequencerMetrics(MeterRegistry registry) {
    valid = counter(registry, "valid");
    stale = counter(registry, "stale");
  }

  private static Counter counter(MeterRegistry registry, String result) {
    return Counter.builder("coordinator.sequencer.checks")
        .description("Fencing tokens that were checked")
        .tag("result", result)
        .register(registry);
  }

  public void checked(boolean isValid) {
    (isValid ? valid : stale).increment();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.metrics;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.function.ToDoubleFunction;

/** A number that one thread sets and scrapes read: the present value of a gauge. */
final class Reading {

  private volatile double value;

  /** Registers a gauge without tags. */
  static Reading gauge(MeterRegistry registry, String name, String description) {
    Reading reading = new Reading();
    Gauge.builder(name, reading, VALUE).description(description).register(registry);
    return reading;
  }

  /** Registers a gauge with one tag. */
  static Reading gauge(
      MeterRegistry registry, String name, String description, String tag, String tagValue) {
    Reading reading = new Reading();
    Gauge.builder(name, reading, VALUE)
        .description(description)
        .tag(tag, tagValue)
        .register(registry);
    return reading;
  }

  void set(double newValue) {
    value = newValue;
  }

  private static final ToDoubleFunction<Reading> VALUE = reading -> reading.value;
}

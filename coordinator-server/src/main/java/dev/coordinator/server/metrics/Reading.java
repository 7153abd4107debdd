// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.metrics;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;

/** A number that one thread sets and scrapes read: the present value of a gauge. */
final class Reading {

  private volatile double value;
  private Gauge gauge;

  /**
   * Registers a gauge.
   *
   * @param tags names and values by turns
   */
  static Reading gauge(MeterRegistry registry, String name, String description, String... tags) {
    return gauge(registry, name, description, null, tags);
  }

  /** Registers a gauge of seconds. */
  static Reading gaugeOfSeconds(
      MeterRegistry registry, String name, String description, String... tags) {
    return gauge(registry, name, description, "seconds", tags);
  }

  private static Reading gauge(
      MeterRegistry registry, String name, String description, String unit, String[] tags) {
    Reading reading = new Reading();
    reading.gauge =
        Gauge.builder(name, reading, Reading::value)
            .description(description)
            .baseUnit(unit)
            .tags(tags)
            .register(registry);
    return reading;
  }

  /** Takes the gauge away. */
  void remove(MeterRegistry registry) {
    registry.remove(gauge);
  }

  void set(double newValue) {
    value = newValue;
  }

  private double value() {
    return value;
  }
}

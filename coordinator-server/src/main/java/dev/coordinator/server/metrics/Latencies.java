// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.metrics;

import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Arrays;

/** The histogram buckets of timers: few enough to scrape, close enough together to alert on. */
final class Latencies {

  private static final double[] BUCKETS_MS = {
    0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000
  };

  private static final double[] LONG_BUCKETS_S = {
    0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1_800, 3_600, 21_600, 86_400
  };

  private Latencies() {}

  /** Of requests and disks: half a millisecond to ten seconds. */
  static Timer.Builder timer(String name, String description) {
    return timer(name, description, BUCKETS_MS, 1e6);
  }

  /** Of what people wait for and hold: ten milliseconds to a day. */
  static Timer.Builder longTimer(String name, String description) {
    return timer(name, description, LONG_BUCKETS_S, 1e9);
  }

  private static Timer.Builder timer(
      String name, String description, double[] buckets, double nanosPerUnit) {
    return Timer.builder(name)
        .description(description)
        .serviceLevelObjectives(
            Arrays.stream(buckets)
                .mapToObj(bucket -> Duration.ofNanos(Math.round(bucket * nanosPerUnit)))
                .toArray(Duration[]::new));
  }
}

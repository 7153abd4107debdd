// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.bench;

import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/** Durations as they are measured, from a microsecond to five minutes. Thread-safe to record. */
final class Latencies {

  private static final long MAX_US = TimeUnit.MINUTES.toMicros(5);
  private static final int SIGNIFICANT_DIGITS = 3;

  private final Histogram histogram = new ConcurrentHistogram(1, MAX_US, SIGNIFICANT_DIGITS);

  /** What is told of them, in milliseconds. */
  record Summary(
      long count, double p50Ms, double p90Ms, double p99Ms, double p999Ms, double maxMs) {}

  void record(long nanos) {
    histogram.recordValue(Math.min(MAX_US, Math.max(1, TimeUnit.NANOSECONDS.toMicros(nanos))));
  }

  Summary summary() {
    Histogram copy = histogram.copy();
    return new Summary(
        copy.getTotalCount(),
        millis(copy.getValueAtPercentile(50)),
        millis(copy.getValueAtPercentile(90)),
        millis(copy.getValueAtPercentile(99)),
        millis(copy.getValueAtPercentile(99.9)),
        millis(copy.getMaxValue()));
  }

  private static double millis(long micros) {
    return micros / 1_000.0;
  }

  static String text(double millis) {
    return String.format(
        Locale.ROOT, millis < 10 ? "%.2f" : millis < 100 ? "%.1f" : "%.0f", millis);
  }
}

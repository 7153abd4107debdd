// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.util.Map;
import java.util.TreeMap;

/** How often each kind of fault struck, and how long it kept clients from getting locks. */
final class FaultReport {

  private final Map<String, Long> counts = new TreeMap<>();
  private final Map<String, Long> longestGapMs = new TreeMap<>();

  void add(String kind, long gapMs) {
    counts.merge(kind, 1L, Long::sum);
    longestGapMs.merge(kind, gapMs, Math::max);
  }

  int faults() {
    return counts.values().stream().mapToInt(Long::intValue).sum();
  }

  int kinds() {
    return counts.size();
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append("%-30s %6s  %s%n".formatted("fault", "times", "longest time without a grant"));
    counts.forEach(
        (kind, count) ->
            text.append(
                "%-30s %6d  %.1f s%n".formatted(kind, count, longestGapMs.get(kind) / 1e3)));
    text.append("%d faults of %d kinds".formatted(faults(), kinds()));
    return text.toString();
  }
}

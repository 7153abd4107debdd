// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** How often each kind of fault struck, and how long it kept clients from getting locks. */
final class FaultReport {

  private final Map<String, Long> counts = new TreeMap<>();
  private final Map<String, Long> longestGapMs = new TreeMap<>();

  /** Faults that struck together; what was whose doing shows only if there was one. */
  void add(List<String> kinds, long gapMs) {
    kinds.forEach(kind -> counts.merge(kind, 1L, Long::sum));
    if (kinds.size() == 1) {
      longestGapMs.merge(kinds.get(0), gapMs, Math::max);
    }
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
    text.append(
        "%-30s %6s  %s%n".formatted("fault", "times", "longest time without a grant, if alone"));
    counts.forEach(
        (kind, count) ->
            text.append("%-30s %6d  %s%n".formatted(kind, count, seconds(longestGapMs.get(kind)))));
    text.append("%d faults of %d kinds".formatted(faults(), kinds()));
    return text.toString();
  }

  private static String seconds(Long ms) {
    return ms == null ? "-" : "%.1f s".formatted(ms / 1e3);
  }
}

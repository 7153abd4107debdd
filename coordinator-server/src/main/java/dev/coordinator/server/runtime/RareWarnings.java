// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.raft.NodeId;
import java.util.HashMap;
import java.util.Map;

/** Lets one warning a minute about each member pass, of what may happen again and again. */
final class RareWarnings {

  private static final long INTERVAL_MS = 60_000;

  private final Map<NodeId, Long> warnedMs = new HashMap<>();

  boolean isDue(NodeId member, long nowMs) {
    Long before = warnedMs.get(member);
    if (before != null && nowMs - before < INTERVAL_MS) {
      return false;
    }
    warnedMs.put(member, nowMs);
    return true;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import java.util.HashMap;
import java.util.Map;

/**
 * Every entry that any member began to write, committed later or not. Index and term name one
 * entry, and by the entry before it all that stand before it (Log Matching, §3.5).
 */
final class WrittenEntries {

  private record Written(Entry entry, long termBefore, long firstNanos) {}

  private final Schedule schedule;
  private final Map<LogPosition, Written> written = new HashMap<>();

  WrittenEntries(Schedule schedule) {
    this.schedule = schedule;
  }

  /**
   * @param termBefore the term of the entry before it in the log of this member
   */
  void writes(NodeId member, Entry entry, long termBefore) {
    Written now = new Written(entry, termBefore, schedule.nowNanos());
    Written first = written.putIfAbsent(entry.position(), now);
    if (first != null && (first.termBefore != termBefore || !first.entry.equals(entry))) {
      throw new Violation(
          "member %s writes another entry %s, or the same behind one of term %d instead of %d",
          member, entry, termBefore, first.termBefore);
    }
  }

  /** When the leader that made this entry wrote it, or whoever was the first to do so. */
  long firstNanos(Entry entry) {
    return written.get(entry.position()).firstNanos;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;
import java.util.ArrayList;
import java.util.List;

/** The log as it stands after the records read so far. */
final class LogReplay {

  private final LogShape shape = new LogShape();
  private final List<Entry> entries = new ArrayList<>();

  void accept(HardState hardState) {
    shape.accept(hardState);
  }

  /** An entry replaces everything at its index and after it. */
  void accept(Entry entry) {
    shape.accept(entry);
    int kept = (int) (entry.index() - 1);
    if (kept < entries.size()) {
      entries.subList(kept, entries.size()).clear();
    }
    entries.add(entry);
  }

  LogShape shape() {
    return shape;
  }

  RecoveredLog log() {
    return new RecoveredLog(shape.hardState(), LogPosition.START, entries);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;
import java.util.ArrayList;
import java.util.List;

/** The log as it stands after the segments and records read so far. */
final class LogReplay {

  private final LogShape shape = new LogShape();
  private final SegmentList segments = new SegmentList();
  private final List<Entry> entries = new ArrayList<>();
  private LogPosition base = LogPosition.START;

  /**
   * Begins with a segment.
   *
   * @param place where its header says that the log stood, which must be so unless it is the first
   *     segment that is there
   */
  void begin(long number, long bytes, LogPosition place) {
    if (segments.count() == 0) {
      shape.begin(place);
      base = place;
    } else if (!place.equals(shape.last())) {
      throw new IllegalArgumentException(
          "it was begun behind entry " + place + ", but entry " + shape.last() + " came last");
    }
    segments.begin(number, bytes);
  }

  void accept(HardState hardState) {
    shape.accept(hardState);
  }

  /** Every entry before gives way. */
  void acceptBase(LogPosition newBase) {
    shape.acceptBase(newBase);
    segments.base(newBase.index());
    base = newBase;
    entries.clear();
  }

  /**
   * An entry replaces everything at its index and after it.
   *
   * <p>If segments before the first one were dropped, it may replace entries that were in them. A
   * snapshot covers all of those, and so this one: the log then begins behind it.
   */
  void accept(Entry entry) {
    shape.accept(entry);
    segments.entry(entry.index());
    if (entry.index() <= base.index()) {
      base = entry.position();
      entries.clear();
      return;
    }
    int kept = (int) (entry.index() - base.index() - 1);
    if (kept < entries.size()) {
      entries.subList(kept, entries.size()).clear();
    }
    entries.add(entry);
  }

  LogShape shape() {
    return shape;
  }

  SegmentList segments() {
    return segments;
  }

  RecoveredLog log() {
    return new RecoveredLog(shape.hardState(), base, entries);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;

/**
 * What every log of a Raft member looks like, checked record by record: before writing, so that no
 * mistake of the caller reaches the disk, and again when reading.
 *
 * <p>Terms never fall (§3.3), a vote is never taken back within its term (§3.4), entries have no
 * gap, and none of those that a snapshot has replaced is written again (§5.1).
 */
final class LogShape {

  private HardState hardState = HardState.INITIAL;
  private long lastIndex;
  private long lastTerm;

  /** Up to here everything is committed and in a snapshot. */
  private long coveredIndex;

  HardState hardState() {
    return hardState;
  }

  LogPosition last() {
    return new LogPosition(lastIndex, lastTerm);
  }

  long lastIndex() {
    return lastIndex;
  }

  /** The first segment that is there begins behind this place. */
  void begin(LogPosition place) {
    lastIndex = place.index();
    lastTerm = place.term();
  }

  /** A snapshot covers everything up to this index. */
  void covered(long index) {
    coveredIndex = Math.max(coveredIndex, index);
  }

  void acceptBase(LogPosition base) {
    if (base.index() < 1 || base.index() < coveredIndex || base.term() < 1) {
      throw new IllegalArgumentException(
          "the log cannot begin anew at " + base + ", it is covered up to " + coveredIndex);
    }
    begin(base);
    coveredIndex = base.index();
  }

  void accept(HardState next) {
    if (next.term() < hardState.term()) {
      throw new IllegalArgumentException(
          "the term falls from " + hardState.term() + " to " + next.term());
    }
    if (next.term() == hardState.term()
        && !hardState.votedFor().isNone()
        && !next.votedFor().equals(hardState.votedFor())) {
      throw new IllegalArgumentException(
          "the vote in term "
              + next.term()
              + " changes from "
              + hardState.votedFor()
              + " to "
              + next.votedFor());
    }
    hardState = next;
  }

  void accept(Entry entry) {
    if (entry.index() < 1 || entry.index() > lastIndex + 1) {
      throw new IllegalArgumentException(
          "entry " + entry.index() + " does not fit behind entry " + lastIndex);
    }
    if (entry.index() <= coveredIndex) {
      throw new IllegalArgumentException(
          "entry " + entry.index() + " is covered by a snapshot up to " + coveredIndex);
    }
    if (entry.index() == lastIndex + 1 && entry.term() < lastTerm) {
      throw new IllegalArgumentException(
          "entry " + entry + " has a lower term than the one before it, " + lastTerm);
    }
    lastIndex = entry.index();
    lastTerm = entry.term();
  }
}

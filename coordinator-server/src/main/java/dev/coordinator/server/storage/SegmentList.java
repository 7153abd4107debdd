// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Which segments a log has, oldest first, and how far a snapshot must reach before each of them may
 * go.
 */
final class SegmentList {

  private static final class Span {
    private final long number;
    private final long bytes;

    /** Where the log ended with it, or where it began anew since; 0 if it has no entries. */
    private long lastIndex;

    Span(long number, long bytes) {
      this.number = number;
      this.bytes = bytes;
    }
  }

  private final Deque<Span> spans = new ArrayDeque<>();
  private long totalBytes;

  /** A segment begins; records accepted from here on are in it. */
  void begin(long number, long bytes) {
    spans.addLast(new Span(number, bytes));
    totalBytes += bytes;
  }

  /**
   * The newest segment has this entry, and none after it. If an entry in a later segment replaces
   * it, it counts all the same: {@link LogReplay} takes what the first segment replaces for
   * covered.
   */
  void entry(long index) {
    spans.getLast().lastIndex = index;
  }

  /** The log begins anew behind this index: no entry so far matters beyond it. */
  void base(long index) {
    for (Span span : spans) {
      span.lastIndex = Math.min(span.lastIndex, index);
    }
  }

  /**
   * The number of the oldest segment if a snapshot up to this index covers it, else 0. The newest
   * one is never covered: it is being written.
   */
  long coveredBy(long index) {
    return spans.size() > 1 && spans.getFirst().lastIndex <= index ? spans.getFirst().number : 0;
  }

  void removeOldest() {
    totalBytes -= spans.removeFirst().bytes;
  }

  int count() {
    return spans.size();
  }

  long totalBytes() {
    return totalBytes;
  }
}

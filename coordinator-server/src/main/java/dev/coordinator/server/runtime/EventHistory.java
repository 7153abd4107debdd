// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The newest lock events, bounded by number and by memory: one thread appends, any thread reads
 * without locks.
 *
 * <p>Events are numbered by position from 0 on, and lie in a ring at {@code position % length}. A
 * reader that finds another position than it asked for has been overtaken.
 */
final class EventHistory {

  /** An event and its position, by which a reader tells whether it found what it sought. */
  private record Slot(long position, WatchEvent event) {}

  /**
   * How far the history reaches.
   *
   * @param position of the next event
   * @param revision up to which every event is there
   */
  record End(long position, long revision) {}

  /** The oldest position that is kept, and the revision of the newest event that is not. */
  private record Beginning(long position, long compactedRevision) {}

  private final AtomicReferenceArray<Slot> ring;
  private final long maxBytes;
  private long bytes;
  private long nextPosition;
  private volatile Beginning beginning = new Beginning(0, 0);
  private volatile End end = new End(0, 0);

  EventHistory(int maxEvents, long maxBytes) {
    this.ring = new AtomicReferenceArray<>(maxEvents);
    this.maxBytes = maxBytes;
  }

  /** Adds an event. Readers do not see it before {@link #publish}. */
  void append(WatchEvent event) {
    bytes += event.weight();
    while (nextPosition - beginning.position() >= ring.length()
        || (bytes > maxBytes && nextPosition > beginning.position())) {
      evictOldest();
    }
    ring.set(slot(nextPosition), new Slot(nextPosition, event));
    nextPosition++;
  }

  /** Shows what was appended: every event up to {@code revision} is there. */
  void publish(long revision) {
    end = new End(nextPosition, revision);
  }

  /**
   * Forgets everything: what happened up to {@code revision} is not known here. The gap takes a
   * position of its own, on which every reader comes to stand.
   */
  void restart(long revision) {
    while (beginning.position() < nextPosition) {
      evictOldest();
    }
    nextPosition++;
    beginning = new Beginning(nextPosition, revision);
    publish(revision);
  }

  End end() {
    return end;
  }

  /** How many events are kept. */
  long size() {
    return end.position() - beginning.position();
  }

  /** The first revision of which every event is kept. */
  long oldestRevision() {
    return beginning.compactedRevision() + 1;
  }

  /**
   * Reads the event at a position before {@link #end}.
   *
   * @throws CompactedException if it is no longer kept
   */
  WatchEvent at(long position) {
    Slot slot = ring.get(slot(position));
    if (slot == null || slot.position() != position) {
      throw new CompactedException(oldestRevision());
    }
    return slot.event();
  }

  /**
   * The position of the first event of this revision or a later one, before {@code limit}; {@code
   * limit} if there is none.
   *
   * @throws CompactedException if events of that revision are no longer kept
   */
  long firstAtOrAfter(long revision, long limit) {
    long low = beginning.position();
    long high = limit;
    while (low < high) {
      long middle = low + (high - low) / 2;
      Slot slot = ring.get(slot(middle));
      // What was evicted during the search is older than all that is kept.
      boolean evicted = slot == null || slot.position() != middle;
      if (evicted || slot.event().revision() < revision) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    // Asked last, because it may have been evicted during the search.
    if (revision < oldestRevision()) {
      throw new CompactedException(oldestRevision());
    }
    return low;
  }

  private void evictOldest() {
    long position = beginning.position();
    WatchEvent oldest = ring.get(slot(position)).event();
    bytes -= oldest.weight();
    // The beginning moves first, so that a reader who misses the event finds out what is kept.
    beginning = new Beginning(position + 1, oldest.revision());
    ring.set(slot(position), null);
  }

  private int slot(long position) {
    return (int) (position % ring.length());
  }
}

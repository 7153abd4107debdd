// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.Event;

/**
 * Something that happened to a lock, with its place in the history.
 *
 * @param revision the index of the entry that caused it
 * @param ordinal its place among the events of that entry
 * @param event a LockAcquired or LockReleased
 */
public record WatchEvent(
    long revision, int ordinal, WatchSpec.Kind kind, String name, Event event) {

  /** Roughly what an event costs besides its texts. */
  private static final int OVERHEAD_BYTES = 160;

  /** Returns null for an event that is not of a lock. */
  static WatchEvent of(long revision, int ordinal, Event event) {
    WatchSpec.Kind kind = WatchSpec.Kind.of(event);
    if (event instanceof Event.LockAcquired acquired) {
      return new WatchEvent(revision, ordinal, kind, acquired.name(), event);
    }
    if (event instanceof Event.LockReleased released) {
      return new WatchEvent(revision, ordinal, kind, released.name(), event);
    }
    return null;
  }

  /** About how much memory it keeps. */
  int weight() {
    int owner;
    int metadata;
    if (event instanceof Event.LockAcquired acquired) {
      owner = acquired.owner().length();
      metadata = acquired.metadata().length();
    } else {
      Event.LockReleased released = (Event.LockReleased) event;
      owner = released.owner().length();
      metadata = released.metadata().length();
    }
    return OVERHEAD_BYTES + name.length() + owner + metadata;
  }
}

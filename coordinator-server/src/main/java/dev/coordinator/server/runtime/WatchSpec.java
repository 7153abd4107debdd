// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.Event;
import java.util.EnumSet;
import java.util.Set;

/**
 * What a watch wants to see.
 *
 * @param name the lock's name, or the beginning of the names of many
 * @param prefix whether {@code name} is such a beginning
 * @param kinds never empty
 * @param startRevision only events of this revision, which may lie in the future, and later; 0 from
 *     the moment of the call on
 * @param initialState begin with the present state of the matching locks; the events after it
 *     follow without a gap. {@code startRevision} is 0 then
 */
public record WatchSpec(
    String name, boolean prefix, Set<Kind> kinds, long startRevision, boolean initialState) {

  /** What can happen to a lock. */
  public enum Kind {
    ACQUIRED,
    RELEASED,
    EXPIRED,
    REVOKED;

    /** The kind of an event of a lock; null for those of leases, which nobody watches. */
    static Kind of(Event event) {
      if (event instanceof Event.LockAcquired) {
        return ACQUIRED;
      }
      if (event instanceof Event.LockReleased released) {
        return switch (released.cause()) {
          case RELEASED -> Kind.RELEASED;
          case EXPIRED -> EXPIRED;
          case REVOKED -> REVOKED;
        };
      }
      return null;
    }
  }

  public WatchSpec {
    if (startRevision < 0 || (initialState && startRevision != 0)) {
      throw new IllegalArgumentException("initial state excludes a start revision");
    }
    kinds = EnumSet.copyOf(kinds.isEmpty() ? EnumSet.allOf(Kind.class) : kinds);
  }

  boolean matches(WatchEvent event) {
    return kinds.contains(event.kind())
        && (prefix ? event.name().startsWith(name) : event.name().equals(name));
  }
}

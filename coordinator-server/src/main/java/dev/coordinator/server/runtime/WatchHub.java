// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.Event;
import dev.coordinator.server.machine.LockView;
import java.util.List;
import java.util.function.Predicate;

/**
 * Keeps a bounded history of lock events and lets watchers follow it, each at its own pace. The
 * loop publishes; any thread may watch.
 */
public final class WatchHub {

  /** One lock event with its place in the history. */
  public record NumberedEvent(long revision, int ordinal, Event event) {}

  /**
   * A step of a watch.
   *
   * @param revision everything up to it is covered
   * @param events those that match, in order; events of one revision are never split
   */
  public record Step(long revision, List<NumberedEvent> events) {}

  /** Told when there may be something to pull, or when the watch ended. Must not block. */
  public interface Listener {
    void ready();

    /** This member lost contact with a leader, or stops: go on at another one. */
    void ended(NodeException why);
  }

  /** The start of a watch: the state at {@code revision}, empty unless asked for. */
  public record Start(long revision, List<LockView> initialState) {}

  /** A watch in progress. */
  public interface Subscription extends AutoCloseable {

    /**
     * What happened since the last pull, at most some thousand events; null if nothing did.
     *
     * @throws CompactedException if the history no longer reaches back to where this watch stood
     */
    Step pull();

    @Override
    void close();
  }

  /** The history does not reach back far enough. */
  public static final class CompactedException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final long oldestRevision;

    public CompactedException(long oldestRevision) {
      super("events before revision " + oldestRevision + " are no longer kept", null, false, false);
      this.oldestRevision = oldestRevision;
    }

    public long oldestRevision() {
      return oldestRevision;
    }
  }

  /** Which locks: those whose names pass. {@code prefix} bounds the initial state. */
  public record Filter(String prefix, Predicate<Event> matches) {}
}

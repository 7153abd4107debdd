// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/**
 * The time that a leader stamps on its entries, so that every member agrees how late it is.
 *
 * <p>It runs on a leader only, from the latest stamp that the member has seen: time without a leader
 * is not counted. It never falls. It never runs faster than the clock of the inputs, and of a gap
 * between two inputs it counts an election timeout at most: a leader that was paused could not hear
 * its clients meanwhile, so the pause must not end their leases.
 */
final class ClusterClock {

  private final long maxGapMs;
  private long timeMs;
  private boolean running;
  private long countedUntilMs;

  ClusterClock(long maxGapMs) {
    this.maxGapMs = maxGapMs;
  }

  /** Takes note of the stamp of an entry in the log. */
  void seen(long stampMs) {
    timeMs = Math.max(timeMs, stampMs);
  }

  void start(long nowMs) {
    running = true;
    countedUntilMs = nowMs;
  }

  void stop() {
    running = false;
  }

  /** Counts the time since the last input. */
  void advance(long nowMs) {
    timeMs = at(nowMs);
    countedUntilMs = Math.max(countedUntilMs, nowMs);
  }

  long at(long nowMs) {
    if (!running || nowMs <= countedUntilMs) {
      return timeMs;
    }
    return timeMs + Math.min(nowMs - countedUntilMs, maxGapMs);
  }
}

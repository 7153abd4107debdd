// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/**
 * The time that a leader stamps on its entries, so that every member agrees how late it is.
 *
 * <p>It runs on a leader only, from the stamp of the last entry in its log: time without a leader
 * is not counted, and neither is what this member counted while it led in vain. Had it kept that
 * time, leases that a leader in between granted at smaller stamps would end early. Along a log it
 * never falls. It never runs faster than the clock of the inputs, and of a gap between two inputs
 * it counts an election timeout at most: a leader that was paused could not hear its clients
 * meanwhile, so the pause must not end their leases.
 */
final class ClusterClock {

  private final long maxGapMs;
  private long timeMs;
  private boolean running;
  private long countedUntilMs;

  ClusterClock(long maxGapMs) {
    this.maxGapMs = maxGapMs;
  }

  /** Takes note of the stamp of the last entry in the log; on a leader it is its own. */
  void seen(long stampMs) {
    timeMs = stampMs;
  }

  /** Runs from the stamp of the last entry in the log. */
  void start(long stampMs, long nowMs) {
    running = true;
    timeMs = stampMs;
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

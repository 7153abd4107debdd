// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/**
 * The time that a leader stamps on its entries, so that every member agrees how late it is.
 *
 * <p>It runs on a leader only: time without a leader is not counted. It begins where the leader
 * before it was last heard, which tells its time with every message, so that what is left of a
 * lease survives a change of leader also when no entry was made for long. But only if the last
 * entry in the log is of that leader's term. If it is of a later one, another leader began at an
 * earlier time than the one heard, and granted leases by it, which would end early; then it begins
 * at the stamp of that entry. Along a log it never falls. It never runs faster than the clock of
 * the inputs, and of a gap between two inputs it counts an election timeout at most: a leader that
 * was paused could not hear its clients meanwhile, so the pause must not end their leases.
 */
final class ClusterClock {

  private final long maxGapMs;
  private long timeMs;
  private boolean running;
  private long countedUntilMs;
  private long heardTerm;
  private long heardMs;

  ClusterClock(long maxGapMs) {
    this.maxGapMs = maxGapMs;
  }

  /** Takes note of the stamp of the last entry in the log; on a leader it is its own. */
  void seen(long stampMs) {
    timeMs = stampMs;
  }

  /** Takes note of the time that the leader of a term told. */
  void heard(long term, long leaderTimeMs) {
    heardMs = term == heardTerm ? Math.max(heardMs, leaderTimeMs) : leaderTimeMs;
    heardTerm = term;
  }

  /**
   * Runs from here on.
   *
   * @param lastTerm the term of the last entry in the log
   * @param stampMs the stamp of that entry
   */
  void start(long lastTerm, long stampMs, long nowMs) {
    running = true;
    timeMs = lastTerm == heardTerm ? Math.max(stampMs, heardMs) : stampMs;
    countedUntilMs = nowMs;
  }

  /** Stops; what was counted is that of the leader of a term, as if it had been heard. */
  void stop(long term) {
    heard(term, timeMs);
    running = false;
  }

  /** Counts the time since the last input. */
  void advance(long nowMs) {
    timeMs = at(nowMs);
    countedUntilMs = Math.max(countedUntilMs, nowMs);
  }

  /** The present time as far as this member knows: on a follower, what its leader told last. */
  long known(long nowMs) {
    return running ? at(nowMs) : Math.max(timeMs, heardMs);
  }

  long at(long nowMs) {
    if (!running || nowMs <= countedUntilMs) {
      return timeMs;
    }
    return timeMs + Math.min(nowMs - countedUntilMs, maxGapMs);
  }
}

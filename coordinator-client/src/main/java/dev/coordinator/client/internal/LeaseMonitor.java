// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import dev.coordinator.client.SessionEvent;
import dev.coordinator.client.SessionEvent.Cause;
import dev.coordinator.client.SessionEvent.Kind;
import dev.coordinator.client.SessionState;
import dev.coordinator.client.TimeSource;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * A pessimistic view of one lease's life, from the send times of the renewals that were answered.
 *
 * <p>The cluster counts the TTL from a moment after the request was sent, so counting from the send
 * time, on the monotonic clock and less a margin for its drift, ends here before it ends there. No
 * timer is trusted: every look at the state compares the clock with the deadline first, so a
 * process that was stopped for longer than its lease finds that out at its first look.
 *
 * <p>Transitions: connected → jeopardy → connected (reported as SAFE) or expired; connected →
 * expired. Expired is final, also against answers that were on their way.
 *
 * <p>Thread-safe. Events are handed out under this object's lock, in order; the consumer must only
 * pass them on.
 */
public final class LeaseMonitor {

  private final TimeSource time;
  private final double driftMargin;
  private final Consumer<SessionEvent> events;

  private volatile SessionState state = SessionState.CONNECTED;
  private volatile long jeopardyAtNanos;
  private volatile long deadlineNanos;

  /**
   * @param sentAtNanos when the request that made the lease was first sent
   * @param driftMargin the fraction of each TTL that is given away for drifting clocks
   */
  public LeaseMonitor(
      TimeSource time,
      long sentAtNanos,
      Duration ttl,
      double driftMargin,
      Consumer<SessionEvent> events) {
    this.time = time;
    this.driftMargin = driftMargin;
    this.events = events;
    extend(sentAtNanos, ttl);
  }

  private void extend(long sentAtNanos, Duration ttl) {
    long usableNanos = (long) (ttl.toNanos() * (1 - driftMargin));
    long deadline = sentAtNanos + usableNanos;
    if (deadlineNanos == 0 || deadline - deadlineNanos > 0) {
      deadlineNanos = deadline;
      jeopardyAtNanos = sentAtNanos + usableNanos / 3 * 2;
    }
  }

  /** The state at this moment. */
  public SessionState state() {
    long now = time.nanoTime();
    SessionState seen = state;
    boolean unchanged =
        seen == SessionState.EXPIRED
            || (now - deadlineNanos < 0
                && (seen == SessionState.JEOPARDY || now - jeopardyAtNanos < 0));
    return unchanged ? seen : recheck();
  }

  private synchronized SessionState recheck() {
    long now = time.nanoTime();
    if (state == SessionState.EXPIRED) {
      return state;
    }
    if (now - deadlineNanos >= 0) {
      expire(Cause.NO_ANSWER, "no renewal was answered within the TTL");
    } else if (state == SessionState.CONNECTED && now - jeopardyAtNanos >= 0) {
      state = SessionState.JEOPARDY;
      events.accept(
          new SessionEvent(
              Kind.JEOPARDY, Cause.NO_ANSWER, "no renewal was answered for two thirds of the TTL"));
    }
    return state;
  }

  /** A renewal sent at this time was answered: the lease lives for the TTL from then. */
  public synchronized void renewed(long sentAtNanos, Duration ttl) {
    if (recheck() == SessionState.EXPIRED) {
      return;
    }
    extend(sentAtNanos, ttl);
    if (state == SessionState.JEOPARDY && time.nanoTime() - jeopardyAtNanos < 0) {
      state = SessionState.CONNECTED;
      events.accept(new SessionEvent(Kind.SAFE, Cause.RENEWED, "a renewal was answered"));
    }
  }

  /** Ends the lease's life for a reason other than time. */
  public synchronized void end(Cause cause, String message) {
    if (recheck() != SessionState.EXPIRED) {
      expire(cause, message);
    }
  }

  private void expire(Cause cause, String message) {
    state = SessionState.EXPIRED;
    events.accept(new SessionEvent(Kind.EXPIRED, cause, message));
  }

  /** How long the lease can be relied on; zero once expired. */
  public long remainingNanos() {
    if (state() == SessionState.EXPIRED) {
      return 0;
    }
    return Math.max(0, deadlineNanos - time.nanoTime());
  }

  /** How long until the state may change by itself. */
  public long nextChangeNanos() {
    long next = state == SessionState.CONNECTED ? jeopardyAtNanos : deadlineNanos;
    return Math.max(0, next - time.nanoTime());
  }
}

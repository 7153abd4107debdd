// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** What all clients together have done and were told. Thread-safe. */
final class Tally {

  private final LongAdder acknowledged = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder unknown = new LongAdder();
  private final LongAdder guardedWrites = new LongAdder();
  private final LongAdder expiredSessions = new LongAdder();
  private final AtomicLong highestToken = new AtomicLong();
  private long lastGrantNanos = System.nanoTime();
  private long longestGapNanos;

  /** The cluster answered. */
  void acknowledged() {
    acknowledged.increment();
  }

  /** The call certainly had no effect. */
  void failed() {
    failed.increment();
  }

  /** The call may have had its effect. */
  void unknown() {
    unknown.increment();
  }

  void guardedWrite() {
    guardedWrites.increment();
  }

  /** A session could not be renewed in time. */
  void sessionExpired() {
    expiredSessions.increment();
  }

  /** The highest token granted so far: what begins later gets a higher one, of whatever lock. */
  long highestToken() {
    return highestToken.get();
  }

  /** A grant was answered. */
  void granted(long token) {
    highestToken.accumulateAndGet(token, Math::max);
    synchronized (this) {
      measureGap();
      lastGrantNanos = System.nanoTime();
    }
  }

  private void measureGap() {
    longestGapNanos = Math.max(longestGapNanos, System.nanoTime() - lastGrantNanos);
  }

  /** Measures gaps between grants from now on. */
  synchronized void resetGap() {
    lastGrantNanos = System.nanoTime();
    longestGapNanos = 0;
  }

  /** The longest time without a grant. */
  synchronized long longestGapMs() {
    measureGap();
    return longestGapNanos / 1_000_000;
  }

  long acknowledgedCount() {
    return acknowledged.sum();
  }

  @Override
  public String toString() {
    return "%,d operations acknowledged, %,d failed, %,d unknown; %,d guarded writes; %,d sessions not renewed in time"
        .formatted(
            acknowledged.sum(),
            failed.sum(),
            unknown.sum(),
            guardedWrites.sum(),
            expiredSessions.sum());
  }
}

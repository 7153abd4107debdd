// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.util.random.RandomGenerator;

/**
 * Simulated time: what will happen, in order of time and, at one moment, in the order in which it
 * was asked for. All randomness of a run comes from the one generator held here.
 */
final class Schedule {

  private final EventQueue events = new EventQueue();
  private final RandomGenerator random;
  private long nowNanos;
  private long sequence;
  private long firstSequence;
  private long traceHash;

  Schedule(RandomGenerator random) {
    this.random = random;
  }

  RandomGenerator random() {
    return random;
  }

  long nowNanos() {
    return nowNanos;
  }

  long nowMs() {
    return nowNanos / 1_000_000;
  }

  void at(long atNanos, Runnable action) {
    events.add(Math.max(atNanos, nowNanos), sequence++, action);
  }

  /** Happens at this moment, before everything else that will. */
  void first(Runnable action) {
    events.add(nowNanos, --firstSequence, action);
  }

  void after(long delayNanos, Runnable action) {
    at(nowNanos + delayNanos, action);
  }

  /** Lets the next event happen; false if it lies after {@code untilNanos}. */
  boolean step(long untilNanos) {
    if (events.isEmpty() || events.firstNanos() > untilNanos) {
      nowNanos = Math.max(nowNanos, untilNanos);
      return false;
    }
    nowNanos = events.firstNanos();
    trace(nowNanos + events.firstNumber() * 31);
    events.removeFirst().run();
    return true;
  }

  /** Adds something that happened to what two equal runs have in common. */
  void trace(long what) {
    traceHash = (traceHash ^ what) * 0x9E3779B97F4A7C15L;
  }

  /** Equal for two runs that did the same. */
  long traceHash() {
    return traceHash;
  }

  /** A delay between the two bounds, mostly near the lower one. */
  long delayNanos(long minNanos, long maxNanos) {
    double skewed = random.nextDouble();
    return minNanos + (long) ((maxNanos - minNanos) * skewed * skewed * skewed);
  }

  boolean chance(double probability) {
    return random.nextDouble() < probability;
  }
}

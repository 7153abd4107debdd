// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.util.Arrays;

/**
 * Runs an action at the first of the moments that were asked for.
 *
 * <p>Most are moved: a member plans for its timeout, but a message comes before. An event that
 * turns out to be too early is therefore used to ask for the next one, instead of one more event
 * for each plan.
 */
final class Alarm {

  private static final long NEVER = Long.MAX_VALUE;

  private final Schedule schedule;
  private final Runnable action;
  private final Runnable ring = this::ring;
  private long dueNanos = NEVER;

  /** When the events ring that are there for this alarm; the first one is the last in here. */
  private long[] queuedNanos = new long[4];

  private int queued;

  Alarm(Schedule schedule, Runnable action) {
    this.schedule = schedule;
    this.action = action;
  }

  /** Asks for a moment to come, which counts if none before it was asked for. */
  void noLaterThan(long atNanos) {
    if (atNanos < dueNanos) {
      dueNanos = atNanos;
      queue();
    }
  }

  /** Forgets all that was asked for. */
  void clear() {
    dueNanos = NEVER;
  }

  private void queue() {
    if (dueNanos == NEVER || queued > 0 && queuedNanos[queued - 1] <= dueNanos) {
      return;
    }
    if (queued == queuedNanos.length) {
      queuedNanos = Arrays.copyOf(queuedNanos, 2 * queued);
    }
    queuedNanos[queued++] = dueNanos;
    schedule.at(dueNanos, ring);
  }

  private void ring() {
    queued--;
    if (dueNanos == schedule.nowNanos()) {
      dueNanos = NEVER;
      action.run();
    } else {
      queue();
    }
  }
}

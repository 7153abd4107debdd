// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.Arrays;

/**
 * Leases and waits in the order of their deadlines, equal ones in the order of their ids.
 *
 * <p>A binary heap whose elements know their places, because almost every deadline is moved or
 * called off before it comes: a renewal costs O(log n) and no memory.
 */
final class DeadlineQueue {

  static final long NEVER = LeaseView.NO_DEADLINE;

  private Timed[] heap = new Timed[64];
  private int size;

  /** The deadline that lies {@code durationMs} after {@code timeMs}. */
  static long after(long timeMs, long durationMs) {
    return durationMs < NEVER - timeMs ? timeMs + durationMs : NEVER;
  }

  int size() {
    return size;
  }

  /** The earliest deadline, or {@link #NEVER}. */
  long nextMs() {
    return size == 0 ? NEVER : heap[0].deadlineMs;
  }

  /** Sets or moves a deadline; {@link #NEVER} calls it off. */
  void schedule(Timed timed, long deadlineMs) {
    if (deadlineMs == NEVER) {
      cancel(timed);
      return;
    }
    timed.deadlineMs = deadlineMs;
    if (timed.heapPosition < 0) {
      if (size == heap.length) {
        heap = Arrays.copyOf(heap, 2 * size);
      }
      timed.heapPosition = size++;
    }
    settle(timed, timed.heapPosition);
  }

  void cancel(Timed timed) {
    timed.deadlineMs = NEVER;
    int hole = timed.heapPosition;
    if (hole < 0) {
      return;
    }
    timed.heapPosition = -1;
    Timed last = heap[--size];
    heap[size] = null;
    if (last != timed) {
      settle(last, hole);
    }
  }

  /** Takes the first of those that are due at {@code timeMs}, or returns null. */
  Timed pollDue(long timeMs) {
    if (size == 0 || heap[0].deadlineMs > timeMs) {
      return null;
    }
    Timed first = heap[0];
    cancel(first);
    return first;
  }

  /** Puts an element into the heap, beginning at a position whose present content may be lost. */
  private void settle(Timed timed, int from) {
    int position = from;
    while (position > 0 && timed.endsBefore(heap[(position - 1) / 2])) {
      place(heap[(position - 1) / 2], position);
      position = (position - 1) / 2;
    }
    while (2 * position + 1 < size) {
      int child = 2 * position + 1;
      if (child + 1 < size && heap[child + 1].endsBefore(heap[child])) {
        child++;
      }
      if (!heap[child].endsBefore(timed)) {
        break;
      }
      place(heap[child], position);
      position = child;
    }
    place(timed, position);
  }

  private void place(Timed timed, int position) {
    heap[position] = timed;
    timed.heapPosition = position;
  }
}

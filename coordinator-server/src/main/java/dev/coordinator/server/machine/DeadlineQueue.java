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

  private Deadline[] heap = new Deadline[64];
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
    return size == 0 ? NEVER : heap[0].timeMs;
  }

  /** Sets or moves a deadline; {@link #NEVER} calls it off. */
  void schedule(Deadline deadline, long timeMs) {
    if (timeMs == NEVER) {
      cancel(deadline);
      return;
    }
    deadline.timeMs = timeMs;
    if (deadline.heapPosition < 0) {
      if (size == heap.length) {
        heap = Arrays.copyOf(heap, 2 * size);
      }
      deadline.heapPosition = size++;
    }
    settle(deadline, deadline.heapPosition);
  }

  void cancel(Deadline deadline) {
    deadline.timeMs = NEVER;
    int hole = deadline.heapPosition;
    if (hole < 0) {
      return;
    }
    deadline.heapPosition = -1;
    Deadline last = heap[--size];
    heap[size] = null;
    if (last != deadline) {
      settle(last, hole);
    }
  }

  /** Takes the first of those that are due at {@code timeMs}, or returns null. */
  Deadline pollDue(long timeMs) {
    if (size == 0 || heap[0].timeMs > timeMs) {
      return null;
    }
    Deadline first = heap[0];
    cancel(first);
    return first;
  }

  /** Puts an element into the heap, beginning at a position whose present content may be lost. */
  private void settle(Deadline deadline, int from) {
    int position = from;
    while (position > 0 && deadline.isBefore(heap[(position - 1) / 2])) {
      place(heap[(position - 1) / 2], position);
      position = (position - 1) / 2;
    }
    while (2 * position + 1 < size) {
      int child = 2 * position + 1;
      if (child + 1 < size && heap[child + 1].isBefore(heap[child])) {
        child++;
      }
      if (!heap[child].isBefore(deadline)) {
        break;
      }
      place(heap[child], position);
      position = child;
    }
    place(deadline, position);
  }

  private void place(Deadline deadline, int position) {
    heap[position] = deadline;
    deadline.heapPosition = position;
  }
}

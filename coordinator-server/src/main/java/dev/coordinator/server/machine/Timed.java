// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

/** Something that ends at a moment of cluster time unless that moment is moved or called off. */
abstract sealed class Timed permits Claim, Lease {

  /** The index of the entry that made it; also settles the order of equal deadlines. */
  final long id;

  /** Changed by {@link DeadlineQueue} only, which orders by it. */
  long deadlineMs = DeadlineQueue.NEVER;

  /** The place in the heap of {@link DeadlineQueue}, or -1. */
  int heapPosition = -1;

  Timed(long id) {
    this.id = id;
  }

  final boolean endsBefore(Timed other) {
    return deadlineMs != other.deadlineMs ? deadlineMs < other.deadlineMs : id < other.id;
  }
}

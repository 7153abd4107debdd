// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

/**
 * When a lease or a wait ends unless that moment is moved or called off. Belongs to the {@link
 * DeadlineQueue} and is never part of a frozen state.
 */
final class Deadline {

  /** The lease, or the claim that waits. Also settles the order of equal times. */
  final long id;

  /** The lock that is waited for; null if a lease ends. */
  final String lockName;

  /** Changed by {@link DeadlineQueue} only, which orders by it. */
  long timeMs = DeadlineQueue.NEVER;

  /** The place in the heap of {@link DeadlineQueue}, or -1. */
  int heapPosition = -1;

  private Deadline(long id, String lockName) {
    this.id = id;
    this.lockName = lockName;
  }

  static Deadline ofLease(long leaseId) {
    return new Deadline(leaseId, null);
  }

  static Deadline ofWait(String lockName, long claimId) {
    return new Deadline(claimId, lockName);
  }

  boolean isOfLease() {
    return lockName == null;
  }

  boolean isBefore(Deadline other) {
    return timeMs != other.timeMs ? timeMs < other.timeMs : id < other.id;
  }
}

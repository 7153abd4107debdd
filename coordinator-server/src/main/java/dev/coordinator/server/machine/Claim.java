// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

/**
 * What one owner within a lease has on a lock: a place in its queue, and from the grant on the lock
 * itself. Immutable; its lease and its lock both know it.
 *
 * @param id the entry that made it; orders the queue
 * @param sinceMs cluster time of the request while it waits, of the grant once it holds
 * @param token the fencing token; 0 while it waits
 * @param waiting null once it holds
 */
record Claim(
    long id, long leaseId, Key key, String metadata, long sinceMs, long token, Waiting waiting) {

  /** What identifies a claim within its lease; ordered by the bytes of the lock's name. */
  record Key(String lockName, String owner) {

    static final OrderedMap.Order<Key> ORDER =
        new OrderedMap.Order<>() {
          @Override
          public long rank(Key key) {
            return Utf8Order.INSTANCE.rank(key.lockName);
          }

          @Override
          public int compareEquallyRanked(Key left, Key right) {
            int byName = Utf8Order.INSTANCE.compareEquallyRanked(left.lockName, right.lockName);
            return byName != 0 ? byName : Utf8Order.INSTANCE.compare(left.owner, right.owner);
          }
        };
  }

  /**
   * On whose behalf and how long a claim waits.
   *
   * @param replyIndex the entry that is answered when the wait ends
   * @param requestNumber the numbered request of the lease that it answers; 0 for a plain one
   * @param deadlineMs {@link DeadlineQueue#NEVER} if it waits without end
   * @param deadline its place in the queue of deadlines; null if it waits without end
   */
  record Waiting(long replyIndex, long requestNumber, long deadlineMs, Deadline deadline) {

    Waiting answering(long newReplyIndex) {
      return new Waiting(newReplyIndex, requestNumber, deadlineMs, deadline);
    }
  }

  String lockName() {
    return key.lockName();
  }

  String owner() {
    return key.owner();
  }

  boolean isHolding() {
    return waiting == null;
  }

  Claim replaced(Waiting newWaiting, String newMetadata) {
    return new Claim(id, leaseId, key, newMetadata, sinceMs, 0, newWaiting);
  }

  Claim granted(long newToken, long nowMs) {
    return new Claim(id, leaseId, key, metadata, nowMs, newToken, null);
  }
}

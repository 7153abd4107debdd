// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

/**
 * What one owner within a lease has on a lock: a place in its queue, and from the grant on the lock
 * itself. Its deadline is that of the wait; its id orders the queue.
 */
final class Claim extends Timed {

  /** What identifies a claim within its lease; ordered by the bytes of the lock's name. */
  record Key(String lockName, String owner) implements Comparable<Key> {

    @Override
    public int compareTo(Key other) {
      int byName = Utf8Order.INSTANCE.compare(lockName, other.lockName);
      return byName != 0 ? byName : Utf8Order.INSTANCE.compare(owner, other.owner);
    }
  }

  final Lock lock;
  final Lease lease;
  final Key key;

  /** Cluster time of the request while it waits, of the grant once it holds. */
  long sinceMs;

  /** The fencing token; 0 while it waits. */
  long token;

  String metadata;

  /** The entry that is answered when the wait ends. */
  long replyIndex;

  /** The numbered request that this claim answers; null for a plain one. */
  RequestHistory.Request request;

  Claim(long id, Lock lock, Lease lease, Key key, long sinceMs) {
    super(id);
    this.lock = lock;
    this.lease = lease;
    this.key = key;
    this.sinceMs = sinceMs;
  }

  String owner() {
    return key.owner();
  }

  boolean isHolding() {
    return token != 0;
  }

  /** Whether the lease was made for this claim and ends with it. */
  boolean ownsLease() {
    return lease.madeFor == this;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.Collection;
import java.util.TreeMap;

/** The locks that are held, by the bytes of their names, and their waits, by whom they answer. */
final class LockTable {

  private final TreeMap<String, Lock> byName = new TreeMap<>(Utf8Order.INSTANCE);
  private final TreeMap<Long, Claim> waitsByReply = new TreeMap<>();

  /** Null if nobody holds it. */
  Lock find(String name) {
    return byName.get(name);
  }

  Lock add(String name) {
    Lock lock = new Lock(name);
    byName.put(name, lock);
    return lock;
  }

  void remove(Lock lock) {
    byName.remove(lock.name);
  }

  int size() {
    return byName.size();
  }

  /** Those under a prefix with names after {@code afterName}, and then others. */
  Collection<Lock> from(String prefix, String afterName) {
    return Utf8Order.INSTANCE.compare(prefix, afterName) > 0
        ? byName.tailMap(prefix, true).values()
        : byName.tailMap(afterName, false).values();
  }

  /** All of them, in order. */
  Collection<Lock> all() {
    return byName.values();
  }

  /** Waits over all locks. */
  int waitCount() {
    return waitsByReply.size();
  }

  /** The wait that answers the entry at that index, or null. */
  Claim findWait(long replyIndex) {
    return waitsByReply.get(replyIndex);
  }

  /** Queues a claim at the end. */
  void addWait(Claim claim) {
    claim.lock.waiters.put(claim.id, claim);
    waitsByReply.put(claim.replyIndex, claim);
  }

  /** Lets a wait answer another entry, in its old place. */
  void moveReply(Claim claim, long replyIndex) {
    waitsByReply.remove(claim.replyIndex);
    claim.replyIndex = replyIndex;
    waitsByReply.put(replyIndex, claim);
  }

  void removeWait(Claim claim) {
    claim.lock.waiters.remove(claim.id);
    waitsByReply.remove(claim.replyIndex);
  }
}

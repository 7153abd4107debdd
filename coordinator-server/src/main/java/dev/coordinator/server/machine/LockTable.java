// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.TreeMap;

/** The locks that are held, by the bytes of their names, and their waits, by whom they answer. */
final class LockTable {

  private final Generation generation;
  private final OrderedMap<String, Lock> byName;
  private final TreeMap<Long, Claim> waitsByReply = new TreeMap<>();

  LockTable(Generation generation) {
    this.generation = generation;
    byName = new OrderedMap<>(Utf8Order.INSTANCE, generation);
  }

  /** To be read; null if nobody holds it. */
  Lock find(String name) {
    return byName.get(name);
  }

  /** To be changed while an entry is applied; null if nobody holds it. */
  Lock edit(String name) {
    Lock lock = byName.get(name);
    if (lock == null || lock.generation == generation.number()) {
      return lock;
    }
    Lock copy = lock.copy(generation);
    byName.put(name, copy);
    return copy;
  }

  Lock add(String name) {
    Lock lock = new Lock(name, generation);
    byName.put(name, lock);
    return lock;
  }

  void remove(Lock lock) {
    byName.remove(lock.name);
  }

  /** By the bytes of their names. */
  OrderedMap<String, Lock> all() {
    return byName;
  }

  /** Those under a prefix with names after {@code afterName}, and then others. */
  Iterable<Lock> from(String prefix, String afterName) {
    return Utf8Order.INSTANCE.compare(prefix, afterName) > 0
        ? byName.valuesFrom(prefix)
        : byName.valuesAfter(afterName);
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
  void addWait(Lock lock, Claim claim) {
    lock.waiters.put(claim.id(), claim);
    waitsByReply.put(claim.waiting().replyIndex(), claim);
  }

  /** Lets a claim wait in another way, in its old place. */
  void replaceWait(Lock lock, Claim claim, Claim changed) {
    waitsByReply.remove(claim.waiting().replyIndex());
    addWait(lock, changed);
  }

  void removeWait(Lock lock, Claim claim) {
    lock.waiters.remove(claim.id());
    waitsByReply.remove(claim.waiting().replyIndex());
  }
}

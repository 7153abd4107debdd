// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

/**
 * A lock with its holder and its queue. Between two entries it has a holder; while one is applied
 * it may be vacant.
 */
final class Lock {

  /** Of which {@link Generation} it is. */
  final long generation;

  final String name;

  /** Null while it is vacant. */
  Claim holder;

  /** By the order in which they came. */
  final OrderedMap<Long, Claim> waiters;

  Lock(String name, Generation generation) {
    this.generation = generation.number();
    this.name = name;
    waiters = new OrderedMap<>(OrderedMap.Order.BY_NUMBER, generation);
  }

  private Lock(Lock other, Generation generation) {
    this.generation = generation.number();
    name = other.name;
    holder = other.holder;
    waiters = other.waiters.share();
  }

  Lock copy(Generation present) {
    return new Lock(this, present);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.TreeMap;

/**
 * A lock with its holder and its queue. Between two entries it has a holder; while one is applied
 * it may be vacant.
 */
final class Lock {

  final String name;

  /** Null while it is vacant. */
  Claim holder;

  /** By the order in which they came. */
  final TreeMap<Long, Claim> waiters = new TreeMap<>();

  Lock(String name) {
    this.name = name;
  }
}

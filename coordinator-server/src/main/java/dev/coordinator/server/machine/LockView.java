// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.List;

/**
 * A lock at one moment.
 *
 * @param waiters the first ones of the queue, next one first
 * @param waiterCount how many wait in all
 */
public record LockView(String name, Holder holder, List<Waiter> waiters, int waiterCount) {

  /** How many waiters the view of one lock shows. */
  public static final int MAX_WAITERS = 1_000;

  /** How many waiters each lock shows in a list. */
  public static final int MAX_WAITERS_IN_LIST = 100;

  /**
   * @param sinceMs the cluster time of the grant
   */
  public record Holder(long leaseId, String owner, long token, String metadata, long sinceMs) {}

  /**
   * @param sinceMs the cluster time at which it entered the queue
   */
  public record Waiter(long leaseId, String owner, long sinceMs) {}
}

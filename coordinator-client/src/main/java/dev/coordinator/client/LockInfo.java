// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A lock as the cluster sees it.
 *
 * @param holder empty if nobody holds it
 * @param waiters next one first; lists may show only the first ones
 * @param waiterCount how many wait in all
 */
public record LockInfo(
    String name, Optional<Holder> holder, List<Waiter> waiters, int waiterCount) {

  /** Copies the list. */
  public LockInfo {
    waiters = List.copyOf(waiters);
  }

  /**
   * Who holds a lock.
   *
   * @param age cluster time since the grant
   */
  public record Holder(long leaseId, String owner, long token, String metadata, Duration age) {}

  /**
   * Who waits for a lock.
   *
   * @param age cluster time since it entered the queue
   */
  public record Waiter(long leaseId, String owner, Duration age) {}
}

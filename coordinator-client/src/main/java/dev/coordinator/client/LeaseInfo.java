// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import java.time.Duration;
import java.util.List;

/**
 * A living lease as the cluster sees it.
 *
 * @param remaining what is left of the TTL, in cluster time
 * @param held the locks it holds, by name
 * @param waitingFor the names of the locks it waits for
 */
public record LeaseInfo(
    long id,
    String owner,
    Duration ttl,
    Duration remaining,
    List<LeasedLock> held,
    List<String> waitingFor) {

  /** Copies the lists. */
  public LeaseInfo {
    held = List.copyOf(held);
    waitingFor = List.copyOf(waitingFor);
  }

  /** A lock that the lease holds. */
  public record LeasedLock(String name, long token) {}
}

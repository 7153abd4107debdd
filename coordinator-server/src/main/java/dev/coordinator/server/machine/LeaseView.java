// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.List;

/**
 * A living lease at one moment.
 *
 * @param deadlineMs the cluster time at which it ends unless renewed; {@link #NO_DEADLINE} while a
 *     lease made on the spot waits for its lock
 * @param held in the order of names
 * @param waitingFor names of locks, in order, each once
 */
public record LeaseView(
    long leaseId,
    String owner,
    long ttlMs,
    long deadlineMs,
    List<HeldLock> held,
    List<String> waitingFor) {

  public static final long NO_DEADLINE = Long.MAX_VALUE;

  public record HeldLock(String name, long token) {}
}

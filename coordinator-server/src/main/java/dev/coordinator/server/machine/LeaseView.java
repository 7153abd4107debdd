// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.List;

/**
 * A living lease at one moment.
 *
 * @param deadlineMs the cluster time at which it ends unless renewed; {@link #NO_DEADLINE} while a
 *     lease made on the spot waits for its lock
 * @param held the first ones in the order of names
 * @param waitingFor names of locks, the first ones in order, each once
 * @param lockCount how many locks its owners hold or wait for in all
 */
public record LeaseView(
    long leaseId,
    String owner,
    long ttlMs,
    long deadlineMs,
    List<HeldLock> held,
    List<String> waitingFor,
    int lockCount) {

  public static final long NO_DEADLINE = Long.MAX_VALUE;

  /** How many locks, held or waited for, the view of one lease shows. */
  public static final int MAX_LOCKS = 1_000;

  /** How many of them each lease shows in a list. */
  public static final int MAX_LOCKS_IN_LIST = 100;

  public record HeldLock(String name, long token) {}
}

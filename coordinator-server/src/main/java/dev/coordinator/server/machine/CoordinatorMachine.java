// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

/**
 * The replicated state: leases, locks with their queues, and the time. Deterministic: members that
 * apply the same entries hold the same state and report the same outcomes and events.
 *
 * <p>Not thread-safe. Knows no clock; time is that of the entries.
 */
public final class CoordinatorMachine {

  /**
   * Ends everything that is due at {@code clusterTimeMs}, in the order of deadlines, then executes
   * the command. Adds to {@code result}, which the caller has cleared.
   *
   * @param index of the entry, above every earlier one
   * @param clusterTimeMs of the entry; a smaller one than before counts as the latest seen
   */
  public void apply(long index, long clusterTimeMs, Command command, ApplyResult result) {
    throw new UnsupportedOperationException();
  }

  public MachineView view() {
    throw new UnsupportedOperationException();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.MachineView;

/**
 * Tells a leader when time itself must be proposed: something is due, and no entry under way is
 * late enough to end it. At most one pulse is under way.
 */
final class PulseTimer {

  private long newestIndex;
  private long newestClusterTimeMs;
  private long pulseIndex;

  /** Notes an entry that this leader proposed. */
  void proposed(long index, long clusterTimeMs) {
    newestIndex = index;
    newestClusterTimeMs = clusterTimeMs;
  }

  /** Notes that the entry at {@code index} is a pulse. */
  void pulsed(long index) {
    pulseIndex = index;
  }

  /** Forgets the entries under way: leadership was lost, and perhaps they with it. */
  void reset() {
    newestIndex = 0;
    pulseIndex = 0;
  }

  /**
   * How many milliseconds of cluster time remain until a pulse is needed: 0 or less if it is needed
   * at once, Long.MAX_VALUE if not before something is applied.
   */
  long remainingMs(MachineView view, long clusterTimeMs) {
    long deadlineMs = view.nextDeadlineMs();
    if (deadlineMs == Long.MAX_VALUE || pulseIndex > view.appliedIndex()) {
      return Long.MAX_VALUE;
    }
    boolean covered = newestIndex > view.appliedIndex() && newestClusterTimeMs >= deadlineMs;
    return covered ? Long.MAX_VALUE : deadlineMs - clusterTimeMs;
  }
}

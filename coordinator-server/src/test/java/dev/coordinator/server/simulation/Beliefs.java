// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Who believes to hold what. Two clients never both believe that they hold a lock, as long as no
 * clock drifts more than the margin that clients keep.
 */
final class Beliefs {

  /** Twice the drift, of a client and of a leader, must fit into the margin of the client. */
  private static final double MAX_CLOCK_DRIFT = SimulatedClient.DRIFT_MARGIN / 2.1;

  private final boolean clocksAreGood;
  private final Map<String, List<SimulatedClient>> holders = new HashMap<>();

  Beliefs(double clockDrift) {
    this.clocksAreGood = clockDrift <= MAX_CLOCK_DRIFT;
  }

  void gained(String lock, SimulatedClient client) {
    if (!clocksAreGood) {
      return;
    }
    List<SimulatedClient> believers = holders.computeIfAbsent(lock, any -> new ArrayList<>());
    believers.removeIf(other -> other == client || !other.believesToHold(lock));
    if (!believers.isEmpty()) {
      throw new Violation(
          "clients %s and %s both believe that they hold %s", believers.get(0), client, lock);
    }
    believers.add(client);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.HashSet;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * How long messages take in a random world: they are lost, late, repeated, or reach only one side.
 */
final class BadNetwork {

  private final RandomGenerator random;
  private final double loss;

  /** These do not reach the others, nor the others these. */
  final Set<NodeId> cutOff = new HashSet<>();

  private boolean good;

  BadNetwork(RandomGenerator random, double loss) {
    this.random = random;
    this.loss = loss;
  }

  /** From now on every message arrives, once and soon. */
  void heal() {
    good = true;
  }

  /** The delay of each copy that arrives. */
  long[] delaysMs(RaftMessage message) {
    if (good) {
      return new long[] {2};
    }
    boolean cut = cutOff.contains(message.from()) != cutOff.contains(message.to());
    if (cut || random.nextDouble() < loss) {
      return new long[0];
    }
    long delayMs = random.nextLong(1, 21);
    return random.nextInt(20) == 0
        ? new long[] {delayMs, random.nextLong(1, 501)}
        : new long[] {delayMs};
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.raft;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

final class RollsDice {
  RandomGenerator dice() {
    return new SplittableRandom(1);
  }
}

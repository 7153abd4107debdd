// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.raft;

final class ReadsClock {
  long now() {
    return System.nanoTime();
  }
}

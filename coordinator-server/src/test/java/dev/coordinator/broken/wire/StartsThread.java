// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.wire;

final class StartsThread {
  void start() {
    new Thread().start();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.machine;

final class Synchronizes {
  synchronized void hold() {}
}

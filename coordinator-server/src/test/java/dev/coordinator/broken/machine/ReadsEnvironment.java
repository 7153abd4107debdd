// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.broken.machine;

final class ReadsEnvironment {
  String home() {
    return System.getenv("HOME");
  }
}

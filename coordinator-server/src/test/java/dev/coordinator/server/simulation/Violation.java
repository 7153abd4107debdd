// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

/** A promise that a simulated run saw broken. */
final class Violation extends RuntimeException {

  private static final long serialVersionUID = 1L;

  Violation(String message, Object... args) {
    super(String.format(message, args), null, false, false);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

/** A state that must not exist: the member stops rather than serve from it. */
public final class InvariantViolation extends Error {

  private static final long serialVersionUID = 1L;

  InvariantViolation(String message) {
    super(message);
  }

  /** Formats the message only if it is needed. */
  static void invariant(boolean condition, String format, Object... values) {
    if (!condition) {
      throw new InvariantViolation(String.format(format, values));
    }
  }
}

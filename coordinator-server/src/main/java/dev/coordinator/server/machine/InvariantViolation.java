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

  /** As above, without an array on the path of every entry. */
  static void invariant(boolean condition, String format, Object value) {
    if (!condition) {
      throw new InvariantViolation(String.format(format, value));
    }
  }

  /** As above, without boxing on the path of every entry. */
  static void invariant(boolean condition, String format, long value) {
    if (!condition) {
      throw new InvariantViolation(String.format(format, value));
    }
  }

  /** As above, without boxing on the path of every entry. */
  static void invariant(boolean condition, String format, long first, long second) {
    if (!condition) {
      throw new InvariantViolation(String.format(format, first, second));
    }
  }
}

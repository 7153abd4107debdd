// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.Locale;

/**
 * The proof that a promise of Raft was broken here, by a bug or a damaged disk. The member must
 * stop: whatever it did next could spread the damage.
 */
public final class RaftInvariantViolation extends Error {

  private static final long serialVersionUID = 1L;

  private RaftInvariantViolation(String message) {
    super(message);
  }

  /**
   * Checks what must always hold. Never switched off.
   *
   * @param message a format of {@link String#format} for {@code args}, which show the values
   */
  static void invariant(boolean condition, String message, Object... args) {
    if (!condition) {
      throw new RaftInvariantViolation(String.format(Locale.ROOT, message, args));
    }
  }

  /** As above, without an array on the path of every request. */
  static void invariant(boolean condition, String message, Object first) {
    if (!condition) {
      throw new RaftInvariantViolation(String.format(Locale.ROOT, message, first));
    }
  }

  /** As above, without an array on the path of every request. */
  static void invariant(boolean condition, String message, Object first, Object second) {
    if (!condition) {
      throw new RaftInvariantViolation(String.format(Locale.ROOT, message, first, second));
    }
  }

  /** As above, without boxing on the path of every request. */
  static void invariant(boolean condition, String message, long first, long second) {
    if (!condition) {
      throw new RaftInvariantViolation(String.format(Locale.ROOT, message, first, second));
    }
  }
}

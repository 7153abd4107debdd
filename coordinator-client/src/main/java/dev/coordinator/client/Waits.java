// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import java.time.Duration;

/** How long to wait in the queue of a lock. */
final class Waits {

  /** The cluster takes no longer ones. */
  private static final Duration LONGEST = Duration.ofDays(36_525);

  private Waits() {}

  /**
   * The wait as it is sent; null for without limit, which is what a wait of more than 100 years
   * means.
   *
   * @throws IllegalArgumentException if it is negative
   */
  static Duration checked(Duration wait) {
    if (wait.isNegative()) {
      throw new IllegalArgumentException("wait must not be negative, but is " + wait);
    }
    return wait.compareTo(LONGEST) > 0 ? null : wait;
  }
}

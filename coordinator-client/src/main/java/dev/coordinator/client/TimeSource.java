// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

/**
 * A monotonic clock. The SDK measures every lease with it, never with the time of day.
 *
 * <p>Implementations are thread-safe.
 */
@FunctionalInterface
public interface TimeSource {

  /**
   * Nanoseconds since an arbitrary origin, as {@link System#nanoTime()}; only differences count.
   */
  long nanoTime();

  /** The clock of this machine. */
  static TimeSource system() {
    return System::nanoTime;
  }
}

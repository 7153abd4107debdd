// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.ports;

/** A monotonic clock. */
@FunctionalInterface
public interface TimeSource {

  /** Nanoseconds since an arbitrary moment, as {@link System#nanoTime}. */
  long nanoTime();
}

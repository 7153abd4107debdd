// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

/**
 * How much of the past watches may ask for.
 *
 * @param maxEvents lock events that are kept
 * @param maxBytes about how much memory they may take
 */
public record WatchHistory(int maxEvents, long maxBytes) {

  public static final WatchHistory DEFAULT = new WatchHistory(100_000, 64L << 20);
}

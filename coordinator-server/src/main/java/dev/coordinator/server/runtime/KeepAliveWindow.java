// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

/**
 * How long renewals are gathered before one entry carries them all: {@code 1 / ttlFraction} of the
 * smallest TTL among them, but no longer than {@code maxMs}.
 *
 * @param maxLeases an entry with this many renewals leaves at once
 */
public record KeepAliveWindow(long maxMs, int ttlFraction, int maxLeases) {

  public static final KeepAliveWindow DEFAULT = new KeepAliveWindow(100, 20, 10_000);
}

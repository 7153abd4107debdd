// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

/**
 * How much is applied before a member takes a snapshot: it does so as soon as one is reached.
 *
 * @param entries since the newest snapshot
 * @param bytes of payload since the newest snapshot
 */
public record SnapshotThresholds(long entries, long bytes) {

  public static final SnapshotThresholds DEFAULT = new SnapshotThresholds(100_000, 64 << 20);
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

/**
 * The limits of snapshots on disk.
 *
 * @param chunkBytes how much of a snapshot one message carries
 * @param maxBytes the largest snapshot that is taken from a leader
 */
public record SnapshotConfig(int chunkBytes, long maxBytes) {

  public static final SnapshotConfig DEFAULT = new SnapshotConfig(512 << 10, 16L << 30);

  public SnapshotConfig {
    if (chunkBytes < 1) {
      throw new IllegalArgumentException("chunkBytes must be 1 or more, not " + chunkBytes);
    }
    if (maxBytes < 1) {
      throw new IllegalArgumentException("maxBytes must be 1 or more, not " + maxBytes);
    }
  }
}

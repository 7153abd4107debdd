// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

/**
 * The limits of snapshots on disk.
 *
 * @param chunkBytes how much of a snapshot one message carries
 * @param maxBytes the largest snapshot that is taken from a leader
 * @param maxWaitingParts most parts that wait to be read or written; more are dropped, and asked
 *     for or sent again
 */
public record SnapshotConfig(int chunkBytes, long maxBytes, int maxWaitingParts) {

  public static final SnapshotConfig DEFAULT = new SnapshotConfig(512 << 10, 16L << 30, 32);

  public SnapshotConfig {
    if (chunkBytes < 1) {
      throw new IllegalArgumentException("chunkBytes must be 1 or more, not " + chunkBytes);
    }
    if (maxBytes < 1) {
      throw new IllegalArgumentException("maxBytes must be 1 or more, not " + maxBytes);
    }
    if (maxWaitingParts < 1) {
      throw new IllegalArgumentException(
          "maxWaitingParts must be 1 or more, not " + maxWaitingParts);
    }
  }
}

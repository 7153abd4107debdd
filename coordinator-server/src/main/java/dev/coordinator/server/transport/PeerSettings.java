// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import dev.coordinator.server.raft.NodeId;
import java.net.InetSocketAddress;

/**
 * What the transport between members has to know.
 *
 * @param listen where to serve the other members
 * @param callTimeoutMs how long an answer that decides something soon is worth waiting for
 * @param maxBatchBytes most payload bytes in one AppendEntries
 * @param maxSnapshotChunkBytes most data in one InstallSnapshot
 */
public record PeerSettings(
    String clusterId,
    NodeId self,
    InetSocketAddress listen,
    long callTimeoutMs,
    int maxBatchBytes,
    int maxSnapshotChunkBytes) {

  private static final int MIN_MESSAGE_BYTES = 4 << 20;

  /** Room for the payloads, as much again for what surrounds them, and a single entry beyond. */
  int maxMessageBytes() {
    int payloadBytes = Math.max(maxBatchBytes, maxSnapshotChunkBytes);
    return Math.max(MIN_MESSAGE_BYTES, 2 * payloadBytes + (1 << 20));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import dev.coordinator.server.raft.NodeId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Whose log it is: written into every segment, so that files of another member are not taken for
 * one's own.
 *
 * @param salt a random number made with the data directory and never told to anyone. It goes into
 *     every checksum, so that no client can craft a payload that looks like a frame of this log
 */
public record LogIdentity(String clusterId, NodeId memberId, long salt) {

  /** What fits into a segment's header with room to spare. */
  static final int MAX_CLUSTER_ID_BYTES = 255;

  public LogIdentity {
    int clusterIdBytes = clusterId.getBytes(StandardCharsets.UTF_8).length;
    if (clusterIdBytes == 0 || clusterIdBytes > MAX_CLUSTER_ID_BYTES) {
      throw new IllegalArgumentException(
          "cluster id must have 1 to " + MAX_CLUSTER_ID_BYTES + " bytes, not " + clusterIdBytes);
    }
    if (clusterId.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException("cluster id must not have control characters");
    }
    if (memberId.isNone()) {
      throw new IllegalArgumentException("member id must be 1 or more");
    }
  }

  /**
   * Which data directory the member runs on, as others may know it: it does not tell the salt.
   * Never 0.
   */
  public long incarnation() {
    byte[] saltBytes = ByteBuffer.allocate(Long.BYTES).putLong(salt).array();
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(saltBytes);
      return Math.max(1, ByteBuffer.wrap(digest).getLong() & Long.MAX_VALUE);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}

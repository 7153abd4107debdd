// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import dev.coordinator.server.raft.NodeId;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * What the transport between members has to know.
 *
 * @param members all of them, {@code self} included
 * @param listen where to serve the other members
 * @param voteTimeoutMs how long a request for a vote is worth waiting for
 * @param maxBatchBytes most payload bytes in one AppendEntries
 */
public record PeerSettings(
    String clusterId,
    NodeId self,
    List<MemberAddress> members,
    InetSocketAddress listen,
    long voteTimeoutMs,
    int maxBatchBytes) {

  private static final int MIN_MESSAGE_BYTES = 4 << 20;

  public PeerSettings {
    members = List.copyOf(members);
  }

  /** Room for the payloads, as much again for what surrounds them, and a single entry beyond. */
  int maxMessageBytes() {
    return Math.max(MIN_MESSAGE_BYTES, 2 * maxBatchBytes + (1 << 20));
  }

  List<MemberAddress> peers() {
    return members.stream().filter(member -> !member.id().equals(self)).toList();
  }
}

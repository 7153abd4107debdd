// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import dev.coordinator.internal.v1.Envelope;
import dev.coordinator.server.raft.NodeId;
import io.grpc.Status;
import java.util.Set;
import java.util.stream.Collectors;

/** Tells messages of this cluster's members to this member from all others. */
final class EnvelopeCheck {

  private final String clusterId;
  private final NodeId self;
  private final Set<NodeId> peers;

  EnvelopeCheck(PeerSettings settings) {
    clusterId = settings.clusterId();
    self = settings.self();
    peers = settings.peers().stream().map(MemberAddress::id).collect(Collectors.toSet());
  }

  /** OK, or why the message must not reach the protocol. */
  Status check(Envelope envelope) {
    if (!envelope.getClusterId().equals(clusterId)) {
      return Status.PERMISSION_DENIED.withDescription(
          "envelope.cluster_id: this member belongs to cluster \"" + clusterId + "\"");
    }
    if (envelope.getTo() != self.value()) {
      return Status.PERMISSION_DENIED.withDescription("envelope.to: this is member " + self);
    }
    if (!peers.contains(new NodeId(envelope.getFrom()))) {
      return Status.PERMISSION_DENIED.withDescription(
          "envelope.from: "
              + Long.toUnsignedString(envelope.getFrom())
              + " is not another member of this cluster");
    }
    return Status.OK;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import dev.coordinator.internal.v1.Envelope;
import dev.coordinator.server.raft.NodeId;
import io.grpc.Status;

/**
 * Tells messages of this cluster to this member from all others. Who belongs to the cluster changes
 * with its log, so the protocol itself judges the sender.
 */
final class EnvelopeCheck {

  private final String clusterId;
  private final NodeId self;

  EnvelopeCheck(PeerSettings settings) {
    clusterId = settings.clusterId();
    self = settings.self();
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
    if (envelope.getFrom() == 0 || envelope.getFrom() == self.value()) {
      return Status.PERMISSION_DENIED.withDescription(
          "envelope.from: " + Long.toUnsignedString(envelope.getFrom()) + " is not another member");
    }
    return Status.OK;
  }
}

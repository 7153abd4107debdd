// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import dev.coordinator.server.metrics.PeerMetrics;
import dev.coordinator.server.ports.Inbox;
import dev.coordinator.server.raft.NodeId;

/**
 * Whether a peer is connected. Two streams lead to a peer, one each way, and both end when it dies:
 * this reports one break to the inbox, at the first end, and none until a stream has been opened
 * again.
 */
final class Connection {

  private final NodeId peer;
  private final Inbox inbox;
  private final PeerMetrics metrics;
  private boolean connected;

  Connection(NodeId peer, Inbox inbox, PeerMetrics metrics) {
    this.peer = peer;
    this.inbox = inbox;
    this.metrics = metrics;
  }

  synchronized void opened() {
    connected = true;
  }

  void broken() {
    synchronized (this) {
      if (!connected) {
        return;
      }
      connected = false;
    }
    metrics.disconnected(peer.value());
    inbox.disconnected(peer);
  }

  synchronized boolean isConnected() {
    return connected;
  }
}

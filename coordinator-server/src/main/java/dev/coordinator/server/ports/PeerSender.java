// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.ports;

import dev.coordinator.server.raft.RaftMessage;

/** The way to other members. */
public interface PeerSender {

  /**
   * Sends a message to {@code message.to()} without waiting. It may be lost, and messages on one
   * way may be lost while later ones arrive; the protocol repeats what matters.
   */
  void send(RaftMessage message);
}

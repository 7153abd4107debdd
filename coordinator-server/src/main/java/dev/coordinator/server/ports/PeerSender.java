// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.ports;

import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.Sender;

/** The way to other members. */
public interface PeerSender {

  /**
   * Sets whom messages go to, and what they tell of this member, from now on.
   *
   * @param membership the configuration by which this member goes; it may be part of it
   */
  void configure(Sender self, Membership membership);

  /**
   * Sends a message to {@code message.to()} without waiting. It may be lost, and messages on one
   * way may be lost while later ones arrive; the protocol repeats what matters.
   */
  void send(RaftMessage message);
}

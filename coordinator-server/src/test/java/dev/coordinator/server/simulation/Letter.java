// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.Sender;

/** A message with what it tells of its sender. */
record Letter(Sender sender, RaftMessage message) {

  NodeId from() {
    return message.from();
  }

  NodeId to() {
    return message.to();
  }
}

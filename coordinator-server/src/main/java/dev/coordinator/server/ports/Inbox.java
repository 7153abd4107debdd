// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.ports;

import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.Sender;

/** Where storage and transport deliver what happened. Thread-safe; never blocks. */
public interface Inbox {

  /**
   * A message of a peer arrived. It may be dropped when too much is waiting.
   *
   * @param sender what the message tells of its sender
   */
  void receive(Sender sender, RaftMessage message);

  /** The write batch of this number, and every one before it, is durable. */
  void persisted(long batch);

  /** The connection to a peer broke. */
  void disconnected(NodeId peer);

  /** Storage cannot be trusted any longer: the member must stop. */
  void failed(Throwable cause);
}

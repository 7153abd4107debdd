// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.raft.Membership;

/** What the node loop lets other threads see of it, without asking it. */
final class NodeBoard {

  private volatile Leadership leadership;
  private volatile NodeStatus status;
  private volatile Membership membership = Membership.NONE;

  NodeBoard(Leadership leadership) {
    this.leadership = leadership;
  }

  /** Exact: it changes with the core's own. */
  Leadership leadership() {
    return leadership;
  }

  void leadership(Leadership present) {
    leadership = present;
  }

  /** The configuration by which this member goes. */
  Membership membership() {
    return membership;
  }

  void membership(Membership present) {
    membership = present;
  }

  /** A moment old. */
  NodeStatus status() {
    return status;
  }

  void status(NodeStatus present) {
    status = present;
  }
}

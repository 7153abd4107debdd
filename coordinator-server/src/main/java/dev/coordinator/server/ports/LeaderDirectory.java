// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.ports;

import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;

/** Tells who leads whom, as far as this member knows. Thread-safe; a moment old at worst. */
public interface LeaderDirectory {

  boolean isLeader();

  /** {@link NodeId#NONE} if none is known. */
  NodeId leader();

  /** Who belongs to the cluster, and where. */
  Membership membership();
}

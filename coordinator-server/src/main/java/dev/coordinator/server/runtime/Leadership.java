// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RoleKind;

/**
 * Who leads, as a member sees it.
 *
 * @param leader {@link NodeId#NONE} if none is known
 */
record Leadership(RoleKind role, long term, NodeId leader) {

  boolean isLeader() {
    return role == RoleKind.LEADER;
  }

  /** An answer that belongs to the entry applied last. */
  <T> Answered<T> answer(T value, MachineView view) {
    return answer(value, view, view.clusterTimeMs());
  }

  <T> Answered<T> answer(T value, MachineView view, long clusterTimeMs) {
    return new Answered<>(value, leader, term, view.appliedIndex(), clusterTimeMs);
  }
}

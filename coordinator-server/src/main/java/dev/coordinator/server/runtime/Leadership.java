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

  <T> Answered<T> answer(T value, MachineView view) {
    return new Answered<>(value, leader, term, view.appliedIndex(), view.clusterTimeMs());
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.CoordinatorMachine;
import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RestoredState;

/**
 * What a member starts from.
 *
 * @param raft what its log and the meta data of its newest snapshot tell
 * @param machine goes on from the state in that snapshot; null if there is none
 */
public record MemberState(NodeId self, RestoredState raft, CoordinatorMachine machine) {

  /** A member that has never run. */
  public static MemberState fresh(NodeId self, Membership membership) {
    return new MemberState(self, RestoredState.fresh(membership), null);
  }

  HardState hardState() {
    return raft.hardState();
  }
}

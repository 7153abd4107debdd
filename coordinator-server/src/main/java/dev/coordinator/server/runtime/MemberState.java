// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import java.util.List;

/**
 * What a member starts from.
 *
 * @param hardState as its log held it
 * @param entries its whole log, consecutive from index 1
 */
public record MemberState(
    NodeId self, Membership membership, HardState hardState, List<Entry> entries) {

  /** A member that has never run. */
  public static MemberState fresh(NodeId self, Membership membership) {
    return new MemberState(self, membership, HardState.INITIAL, List.of());
  }
}

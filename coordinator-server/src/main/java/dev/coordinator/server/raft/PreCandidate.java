// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/** A member that asks whether it would be elected, without a new term (§9.6). */
record PreCandidate(Tally tally, long wakeupMs) implements Role {

  @Override
  public RoleKind kind() {
    return RoleKind.PRE_CANDIDATE;
  }

  @Override
  public NodeId leader() {
    return NodeId.NONE;
  }
}

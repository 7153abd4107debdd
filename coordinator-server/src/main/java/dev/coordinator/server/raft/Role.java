// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/** What a member is at the moment, with the data that is valid only while it is that. */
sealed interface Role permits Follower, PreCandidate, Candidate, Leader {

  RoleKind kind();

  /** Who leads in this term; {@link NodeId#NONE} if that is not known, or the way to it broke. */
  NodeId leader();

  /** When something is to be done even if nothing arrives. */
  long wakeupMs();
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/** The role of a member, as others may see it. */
public enum RoleKind {
  FOLLOWER,
  PRE_CANDIDATE,
  CANDIDATE,
  LEADER
}

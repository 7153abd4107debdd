// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.List;

/**
 * A view of the core at one moment. {@code base <= snapshot <= applied <= committed <= last} and
 * {@code durable <= last}.
 *
 * @param leader {@link NodeId#NONE} if none is known
 * @param base the index before the first entry that is still in the log
 * @param snapshot the last index of the newest snapshot, 0 if there is none
 * @param membership the configuration that counts, committed or not
 * @param membershipIndex the entry that set it, 0 if none did
 * @param transferTarget to whom a leader is handing over, {@link NodeId#NONE} if to nobody
 * @param followers what a leader knows of the others, by id; empty on other members
 */
public record RaftStatus(
    RoleKind role,
    long term,
    NodeId leader,
    long base,
    long snapshot,
    long last,
    long durable,
    long committed,
    long applied,
    Membership membership,
    long membershipIndex,
    NodeId transferTarget,
    List<FollowerStatus> followers) {

  /** Whether the configuration is committed: no change of it is under way. */
  public boolean isMembershipSettled() {
    return membershipIndex <= committed && !membership.isJoint();
  }

  /**
   * @param match the last index known to be durable there
   * @param lastHeardMs when it was last heard of, on the clock of the inputs
   * @param installing the last index of the snapshot that is sent there, 0 if entries are
   */
  public record FollowerStatus(NodeId member, long match, long lastHeardMs, long installing) {}
}

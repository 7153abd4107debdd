// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.List;

/**
 * A change that somebody asks for (§4): who joins as a learner, which learners become voters, and
 * who leaves. To replace a member, one change promotes the new one and removes the old.
 */
public record MembershipChange(
    List<MemberInfo> addLearners, List<NodeId> promote, List<NodeId> remove) {

  public static MembershipChange add(MemberInfo learner) {
    return new MembershipChange(List.of(learner), List.of(), List.of());
  }

  public static MembershipChange promote(NodeId learner) {
    return new MembershipChange(List.of(), List.of(learner), List.of());
  }

  public static MembershipChange remove(NodeId member) {
    return new MembershipChange(List.of(), List.of(), List.of(member));
  }

  public static MembershipChange replace(NodeId old, NodeId learner) {
    return new MembershipChange(List.of(), List.of(learner), List.of(old));
  }
}

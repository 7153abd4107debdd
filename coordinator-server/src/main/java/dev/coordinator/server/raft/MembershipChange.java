// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

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

  /**
   * What is in this configuration already of all that it would bring about, or null if something is
   * not. Who asks again for what was done need not take that for a failure.
   */
  String whyNeedless(Membership present) {
    List<String> holds = new ArrayList<>();
    for (MemberInfo learner : addLearners) {
      if (!present.contains(learner.id()) || !present.member(learner.id()).isReachedAs(learner)) {
        return null;
      }
      holds.add("member " + learner.id() + " is there already");
    }
    for (NodeId learner : promote) {
      if (!present.isVoter(learner)) {
        return null;
      }
      holds.add("member " + learner + " is a voter already");
    }
    for (NodeId leaving : remove) {
      if (present.contains(leaving)) {
        return null;
      }
      holds.add("member " + leaving + " is not there");
    }
    return holds.isEmpty() ? null : String.join(", ", holds);
  }

  /** Why it cannot be made of this configuration, or null if it can. */
  String whyImpossible(Membership present) {
    Set<NodeId> named = new TreeSet<>();
    for (MemberInfo learner : addLearners) {
      if (learner.id().isNone()) {
        return "0 is no id of a member";
      }
      if (present.contains(learner.id())) {
        return "member " + learner.id() + " is there with other addresses";
      }
      if (!named.add(learner.id())) {
        return "member " + learner.id() + " is named twice";
      }
    }
    for (NodeId learner : promote) {
      if (!present.learners().contains(learner)) {
        return "member " + learner + " is no learner";
      }
      if (!named.add(learner)) {
        return "member " + learner + " is named twice";
      }
    }
    Set<NodeId> voters = new TreeSet<>(present.voters());
    voters.addAll(promote);
    for (NodeId leaving : remove) {
      if (!present.contains(leaving)) {
        return "member " + leaving + " is not there";
      }
      if (!named.add(leaving)) {
        return "member " + leaving + " is named twice";
      }
      voters.remove(leaving);
    }
    if (named.isEmpty()) {
      return "it changes nothing";
    }
    return voters.isEmpty() ? "no voter would be left" : null;
  }
}

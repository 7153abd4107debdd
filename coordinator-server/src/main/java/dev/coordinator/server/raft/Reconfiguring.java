// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How a leader changes the configuration (§4): one change after the other, each begun only when the
 * one before is committed, and voters always by way of a joint configuration (§4.3).
 */
final class Reconfiguring {

  private final Member member;
  private final Roles roles;
  private final Leading leading;
  private final Transferring transferring;
  private final RaftLog log;

  Reconfiguring(Member member, Roles roles, Leading leading, Transferring transferring) {
    this.member = member;
    this.roles = roles;
    this.leading = leading;
    this.transferring = transferring;
    log = member.log;
  }

  ChangeAnswer change(Leader leader, MembershipChange change) {
    String underWay = whatIsUnderWay(leader);
    if (underWay != null) {
      return ChangeAnswer.refused(Refusal.Kind.NOT_NOW, underWay);
    }
    // Who was removed just now may come back with this change, with an empty log.
    leading.leaveBehind(leader, member.membership());
    String needless = change.whyNeedless(member.membership());
    if (needless != null) {
      return ChangeAnswer.refused(Refusal.Kind.ALREADY, needless);
    }
    String impossible = change.whyImpossible(member.membership());
    if (impossible != null) {
      return ChangeAnswer.refused(Refusal.Kind.IMPOSSIBLE, impossible);
    }
    for (NodeId learner : change.promote()) {
      String behind = whyBehind(leader.progress(learner));
      if (behind != null) {
        return ChangeAnswer.refused(Refusal.Kind.NOT_NOW, behind);
      }
    }
    Membership next = recorded(leader, member.membership()).changedBy(change);
    if (!leader.isAnsweredByQuorum(next, member.electionTimeoutAgoMs())) {
      // It could never be committed, and nothing else either.
      return ChangeAnswer.refused(
          Refusal.Kind.NOT_NOW, "no majority of " + next.voters() + " was heard lately");
    }
    return ChangeAnswer.begun(append(leader, next));
  }

  /** What has to end before the configuration may change, or null. */
  private String whatIsUnderWay(Leader leader) {
    Configurations configurations = log.configurations();
    if (log.committed() < leader.firstIndex()) {
      // A change would be counted over a configuration that may already have been replaced.
      return "no entry of the leader's term is committed yet";
    }
    if (configurations.presentIndex() > log.committed() || configurations.present().isJoint()) {
      return "another change is under way";
    }
    if (configurations.present().isFounding()) {
      return "the cluster has not begun yet";
    }
    if (!configurations.present().isVoter(member.self)) {
      return "the leader is leaving";
    }
    return leader.transfer() == null
        ? null
        : "leadership is being transferred to " + leader.transfer().target();
  }

  /**
   * A voter that has to catch up first could keep the cluster from committing (§4.2.1), and one
   * that does not know yet that it was added votes for nobody.
   */
  private String whyBehind(Progress learner) {
    if (learner.match() > 0 && !learner.isAnswering(member.electionTimeoutAgoMs())) {
      return "member " + learner.member() + " was not heard lately";
    }
    long lag = log.last() - learner.match();
    if (learner.match() == 0 || lag > member.config.maxPromoteLagEntries()) {
      return "member " + learner.member() + " is " + lag + " entries behind";
    }
    return learner.match() < log.configurations().presentIndex()
        ? "member " + learner.member() + " lacks the present configuration"
        : null;
  }

  private long append(Leader leader, Membership next) {
    long index = leading.append(next);
    leader
        .unrecorded()
        .keySet()
        .removeIf(id -> !next.contains(id) || next.member(id).incarnation() != 0);
    leader.follow(next, index, member.nowMs());
    member.noteConfiguration();
    return index;
  }

  /** Takes note of the data directory of a member that spoke. */
  void heard(Leader leader, NodeId from, Sender sender) {
    MemberInfo info = member.membership().member(from);
    if (info != null && info.incarnation() == 0 && sender.incarnation() != 0) {
      leader.unrecorded().putIfAbsent(from, sender.incarnation());
    }
  }

  /** Goes on once the present configuration is committed, also that of an earlier leader. */
  void advance(Leader leader) {
    Configurations configurations = log.configurations();
    Membership present = configurations.present();
    if (log.committed() < Math.max(leader.firstIndex(), configurations.presentIndex())) {
      return;
    }
    if (present.isJoint()) {
      if (leader.transfer() == null) {
        append(leader, present.completed());
      }
      return;
    }
    leading.leaveBehind(leader, present);
    if (!present.isVoter(member.self)) {
      leave(leader);
    } else if (leader.transfer() == null) {
      goOn(leader, present);
    }
  }

  /**
   * Records the data directories that are not known yet, and once all founders have done so, counts
   * majorities from there on.
   */
  private void goOn(Leader leader, Membership present) {
    Membership recorded = recorded(leader, present);
    if (!recorded.equals(present)) {
      append(leader, recorded);
    } else if (present.isFounding()) {
      append(leader, present.founded());
    }
  }

  /**
   * Hands over, since it does not belong to the configuration that is now committed (§4.2.2); if
   * nobody takes over, it steps down all the same.
   */
  private void leave(Leader leader) {
    if (leader.transfer() != null) {
      return;
    }
    if (leader.isLeaving() || transferring.begin(leader, NodeId.NONE) != null) {
      roles.becomeFollower(roles.term(), NodeId.NONE, "it is no voter any more");
    } else {
      leader.leaves();
      transferring.advance(leader);
    }
  }

  /**
   * With the data directories that the configuration does not have yet. A member that lost its own
   * cannot pass from then on for the one that made promises with it.
   */
  private static Membership recorded(Leader leader, Membership present) {
    if (leader.unrecorded().isEmpty()) {
      return present;
    }
    SortedMap<NodeId, Long> found = new TreeMap<>(leader.unrecorded());
    found.keySet().removeIf(id -> !present.contains(id) || present.member(id).incarnation() != 0);
    return found.isEmpty() ? present : present.withIncarnations(found);
  }
}

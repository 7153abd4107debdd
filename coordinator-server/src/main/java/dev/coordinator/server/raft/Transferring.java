// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import dev.coordinator.server.raft.RaftMessage.TimeoutNow;

/**
 * How a leader hands over (§3.10): it takes no more proposals, brings the target up to date, and
 * tells it to campaign at once. After an election timeout it gives up and goes on leading.
 */
final class Transferring {

  private final Member member;
  private final Roles roles;

  Transferring(Member member, Roles roles) {
    this.member = member;
    this.roles = roles;
  }

  /**
   * Begins to hand over.
   *
   * @param target {@link NodeId#NONE} for whoever is best
   * @return why not, or null
   */
  Refusal begin(Leader leader, NodeId target) {
    Progress best = target.isNone() ? bestOf(leader) : leader.progress(target);
    if (target.equals(member.self)) {
      return new Refusal(Refusal.Kind.ALREADY, "member " + target + " leads already");
    }
    if (!target.isNone() && !member.membership().isVoter(target)) {
      return new Refusal(Refusal.Kind.IMPOSSIBLE, "member " + target + " is no voter");
    }
    if (best == null || !isHeard(best)) {
      String why =
          target.isNone()
              ? "no other voter was heard lately"
              : "member " + target + " was not heard lately";
      return new Refusal(Refusal.Kind.NOT_NOW, why);
    }
    Transfer underWay = leader.transfer();
    if (underWay == null) {
      long deadlineMs = member.nowMs() + member.config.electionTimeoutMs();
      leader.transferTo(new Transfer(best.member(), deadlineMs));
      member.trace.transferStarted(member.nowMs(), best.member());
    } else if (!target.isNone() && !target.equals(underWay.target())) {
      return new Refusal(
          Refusal.Kind.NOT_NOW, "leadership is being transferred to " + underWay.target());
    }
    return null;
  }

  /** The voter that has most of the log, of those that answer; null if there is none. */
  private Progress bestOf(Leader leader) {
    Progress best = null;
    for (Progress follower : leader.followers()) {
      if (member.membership().voters().contains(follower.member())
          && isHeard(follower)
          && (best == null || follower.match() > best.match())) {
        best = follower;
      }
    }
    return best;
  }

  private boolean isHeard(Progress follower) {
    return follower.isAnswering(member.electionTimeoutAgoMs());
  }

  /** Does what is due. */
  void advance(Leader leader) {
    Transfer transfer = leader.transfer();
    if (transfer == null) {
      return;
    }
    if (member.nowMs() >= transfer.deadlineMs()) {
      giveUp(leader, "it did not take over in time");
    } else if (!member.membership().isVoter(transfer.target())) {
      giveUp(leader, "it is no voter any more");
    } else if (member.nowMs() >= transfer.nudgeAtMs()
        && leader.progress(transfer.target()).match() == member.log.last()) {
      member.effects.send(
          new TimeoutNow(member.self, transfer.target(), roles.term(), member.log.last()));
      transfer.nudged(member.nowMs() + member.config.heartbeatIntervalMs());
    }
  }

  private void giveUp(Leader leader, String why) {
    member.trace.transferGivenUp(member.nowMs(), leader.transfer().target(), why);
    leader.transferTo(null);
  }
}

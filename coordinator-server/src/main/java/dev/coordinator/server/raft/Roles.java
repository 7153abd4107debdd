// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static dev.coordinator.server.raft.RaftInvariantViolation.invariant;

import dev.coordinator.server.raft.RaftTrace.ElectionResult;
import java.util.Collections;

/**
 * The term, vote and role of a member, and the only place where they change. The transitions:
 *
 * <ul>
 *   <li>Follower to PreCandidate: no leader was heard for an election timeout, or the connection to
 *       it broke.
 *   <li>Follower to Follower: a newer term was seen, or the leader of this term found.
 *   <li>PreCandidate to Candidate: a majority would vote for it.
 *   <li>Follower to Candidate: the leader hands over to it (§3.10).
 *   <li>PreCandidate to PreCandidate: no majority answered in time.
 *   <li>PreCandidate to Follower: a majority refused; a newer term was seen; the leader of this
 *       term was heard; it voted for another, or gave way to another pre-candidate.
 *   <li>Candidate to Leader: a majority voted for it.
 *   <li>Candidate to PreCandidate: no majority answered in time, as after a split vote.
 *   <li>Candidate to Follower: a majority refused; a newer term was seen; the leader of this term
 *       was heard.
 *   <li>Leader to Follower: a newer term was seen; no majority was heard for an election timeout;
 *       it is no voter any more.
 * </ul>
 *
 * <p>The term never falls, and there is at most one vote in it (§3.4).
 */
final class Roles {

  /** Terms beyond are refused, so that no message can drive the counter to its end. */
  static final long MAX_TERM = 1L << 62;

  private final Member member;
  private Role role;

  Roles(Member member) {
    this.member = member;
    boolean alone = member.membership().isQuorum(Collections.singleton(member.self));
    role =
        new Follower(
            NodeId.NONE, member.nowMs(), alone ? member.nowMs() : member.drawElectionAtMs());
  }

  Role role() {
    return role;
  }

  long term() {
    return member.effects.hardState().term();
  }

  /** Who got this member's vote in this term, {@link NodeId#NONE} if nobody did. */
  NodeId votedFor() {
    return member.effects.hardState().votedFor();
  }

  /** Votes in the present term; it counts once it is durable. */
  void voteFor(NodeId candidate) {
    invariant(
        votedFor().isNone() || votedFor().equals(candidate),
        "a second vote in term %d: for %s after %s",
        term(),
        candidate,
        votedFor());
    if (votedFor().isNone()) {
      member.effects.change(new HardState(term(), candidate));
    }
  }

  /**
   * Follows {@code leader}, {@link NodeId#NONE} if it is not known, in {@code term}. Only hearing a
   * leader or leaving another role draws a new timeout: a newer term alone must not, or a member
   * that cannot win could keep one from campaigning that can (§3.4).
   */
  Follower becomeFollower(long term, NodeId leader, String why) {
    invariant(term >= term(), "term would fall to %d from %d", term, term());
    long electionAtMs =
        leader.isNone() && role instanceof Follower follower
            ? follower.electionAtMs()
            : member.drawElectionAtMs();
    leaveRole(ElectionResult.LOST);
    if (term > term()) {
      changeTerm(term, NodeId.NONE, why);
    }
    Follower follower = new Follower(leader, member.nowMs(), electionAtMs);
    enter(follower, why);
    return follower;
  }

  /** Asks whether it would be elected in the next term. */
  PreCandidate becomePreCandidate(String why) {
    invariant(!(role instanceof Leader), "the leader of term %d cannot campaign", term());
    leaveRole(ElectionResult.TIMED_OUT);
    PreCandidate pre = new PreCandidate(new Tally(member.membership()), member.drawElectionAtMs());
    enter(pre, why);
    member.trace.electionStarted(member.nowMs(), true, term() + 1, why);
    return pre;
  }

  /** Begins a term and votes for itself in it (§3.4). */
  Candidate becomeCandidate(String why) {
    invariant(
        role instanceof PreCandidate || role instanceof Follower,
        "a %s cannot become candidate",
        role.kind());
    invariant(term() < MAX_TERM, "term %d is the last", term());
    leaveRole(ElectionResult.WON);
    changeTerm(term() + 1, member.self, why);
    Candidate candidate = new Candidate(new Tally(member.membership()), member.drawElectionAtMs());
    enter(candidate, why);
    member.trace.electionStarted(member.nowMs(), false, term(), why);
    return candidate;
  }

  /** Leads, beginning with an entry of its own term (§3.6.2). */
  Leader becomeLeader(String why) {
    invariant(role instanceof Candidate, "a %s cannot become leader", role.kind());
    leaveRole(ElectionResult.WON);
    RaftLog log = member.log;
    Leader leader =
        new Leader(member.self, member.membership(), log.last() + 1, member.nowMs(), member.config);
    MemberInfo info = member.membership().member(member.self);
    if (info != null && info.incarnation() == 0 && member.incarnation != 0) {
      leader.unrecorded().put(member.self, member.incarnation);
    }
    enter(leader, why);
    member.clock.start(log.lastTerm(), log.lastStampMs(), member.nowMs());
    log.append(Entry.noOp(log.last() + 1, term(), member.clock.at(member.nowMs())));
    return leader;
  }

  private void leaveRole(ElectionResult result) {
    long nowMs = member.nowMs();
    if (role instanceof PreCandidate) {
      member.trace.electionEnded(nowMs, true, term() + 1, result);
    } else if (role instanceof Candidate) {
      member.trace.electionEnded(nowMs, false, term(), result);
    } else if (role instanceof Leader leader) {
      member.clock.stop(term());
      member.clock.seen(member.log.lastStampMs());
      for (ReadQueue.Read read : leader.reads().takeAll()) {
        if (read.asker().equals(member.self)) {
          member.readFailed(read.id());
        } else {
          member.answer(term(), read, false, 0);
        }
      }
    } else if (role instanceof Follower follower) {
      for (long id : follower.reads().takeAll()) {
        member.readFailed(id);
      }
    }
  }

  private void changeTerm(long term, NodeId votedFor, String why) {
    member.effects.change(new HardState(term, votedFor));
    member.trace.termChanged(member.nowMs(), term, why);
  }

  private void enter(Role next, String why) {
    role = next;
    member.trace.roleChanged(member.nowMs(), next.kind(), term(), next.leader(), why);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import dev.coordinator.server.raft.RaftMessage.RequestVote;
import dev.coordinator.server.raft.RaftMessage.RequestVoteReply;
import dev.coordinator.server.raft.RaftMessage.TimeoutNow;

/**
 * How a member asks for votes and gives them (§3.4, §3.6.1), first in a pre-vote that changes
 * nothing (§9.6).
 *
 * <p>A member that hears a leader gives no votes, so that one that was cut off cannot disturb a
 * cluster that works (§4.2.3). Whoever is behind in its term learns the newer one from every
 * answer, so nobody stays refused for being behind.
 */
final class Elections {

  private final Member member;
  private final Roles roles;

  Elections(Member member, Roles roles) {
    this.member = member;
    this.roles = roles;
  }

  /** Holds the election that is due. */
  void tick() {
    Role role = roles.role();
    long dueMs = role instanceof Follower follower ? follower.electionAtMs() : role.wakeupMs();
    if (role instanceof Leader || member.nowMs() < dueMs) {
      return;
    }
    if (!mayCampaign() && role instanceof Follower follower && !follower.hasLeader()) {
      follower.postponeElection(member.drawElectionAtMs());
    } else if (!mayCampaign()) {
      roles
          .becomeFollower(roles.term(), NodeId.NONE, "no leader was heard in time")
          .postponeElection(member.drawElectionAtMs());
    } else if (role instanceof Follower follower) {
      preVote(follower.whyElection());
    } else if (role instanceof Candidate candidate && !candidate.hasBegun()) {
      candidate.postpone(member.drawElectionAtMs());
    } else {
      preVote("no majority answered in time");
    }
  }

  /**
   * Whether this member may stand for election: a voter may. One that is leaving still may until
   * its going is committed, because it can be the only one with the entry that says so (§4.2.2).
   */
  private boolean mayCampaign() {
    Configurations configurations = member.log.configurations();
    return configurations.present().isVoter(member.self)
        || configurations.presentIndex() > member.log.committed()
            && configurations.previous().membership().isVoter(member.self);
  }

  private void preVote(String why) {
    PreCandidate candidate = roles.becomePreCandidate(why);
    for (NodeId voter : member.membership().allVoters()) {
      if (!voter.equals(member.self)) {
        member.effects.sendOnceHardStateIsDurable(request(voter, roles.term() + 1, true, false));
      }
    }
    candidate.tally().add(member.self, true);
    countPreVotes(candidate);
  }

  private void countPreVotes(PreCandidate candidate) {
    if (candidate.tally().isWon()) {
      campaign("a majority would vote for it", false);
    } else if (candidate.tally().isLost()) {
      roles.becomeFollower(roles.term(), NodeId.NONE, "a majority refused the pre-vote");
    }
  }

  /**
   * Asks for votes once the new term and its own vote are durable. A request that left earlier
   * could outlive a crash of this member: it would then be a campaign of the same term with another
   * log.
   */
  private void campaign(String why, boolean transfer) {
    roles.becomeCandidate(why);
    for (NodeId voter : member.membership().allVoters()) {
      if (!voter.equals(member.self)) {
        member.effects.sendAfterPersist(request(voter, roles.term(), false, transfer));
      }
    }
  }

  /** Counts its own vote, which like any other counts only once it is durable. */
  void persisted() {
    if (roles.role() instanceof Candidate candidate
        && !candidate.hasBegun()
        && member.effects.isHardStateDurable()) {
      candidate.begin(member.drawElectionAtMs());
      candidate.tally().add(member.self, true);
      countVotes(candidate);
    }
  }

  private void countVotes(Candidate candidate) {
    if (candidate.tally().isWon()) {
      roles.becomeLeader("a majority voted for it");
    } else if (candidate.tally().isLost()) {
      roles.becomeFollower(roles.term(), NodeId.NONE, "a majority refused");
    }
  }

  private RequestVote request(NodeId voter, long term, boolean preVote, boolean transfer) {
    return new RequestVote(
        member.self, voter, term, preVote, member.log.last(), member.log.lastTerm(), transfer);
  }

  /** The leader hands over: stands for election at once, without asking first (§3.10). */
  void receive(TimeoutNow message) {
    String whyLate = whyLate(message);
    if (whyLate == null) {
      campaign("leader " + message.from() + " hands over", true);
    } else {
      member.trace.ignored(member.nowMs(), message, whyLate);
    }
  }

  /** Why the leader can no longer mean it, or null. */
  private String whyLate(TimeoutNow message) {
    if (message.term() != roles.term()
        || !(roles.role() instanceof Follower follower)
        || !follower.leader().equals(message.from())) {
      return "it follows another leader, or none";
    }
    if (message.lastLogIndex() != member.log.last()) {
      return "its log ends at " + member.log.last();
    }
    return mayCampaign() ? null : "it is no voter";
  }

  void receive(RequestVote request) {
    if (isLoyal(request) && request.term() > roles.term() && !request.preVote()) {
      // Its term must not change, so it has nothing to answer with that the other would count
      // (§4.2.3).
      member.trace.voteAnswered(member.nowMs(), request, false, "ignored: it hears a leader");
      return;
    }
    if (request.term() > roles.term() && !request.preVote()) {
      roles.becomeFollower(request.term(), NodeId.NONE, "asked for a vote in a newer term");
    }
    String refusal = whyRefuse(request);
    if (refusal != null) {
      answer(request, false, refusal);
    } else if (request.preVote()) {
      answer(request, true, "log is up to date");
      giveWayTo(request);
    } else {
      grant(request);
    }
  }

  /** Whether it stays with the leader that it hears, unless that one itself wants the election. */
  private boolean isLoyal(RequestVote request) {
    return !request.transfer() && hearsLeader();
  }

  /** Whether a leader is known to be alive; a leader itself is while it hears a majority (§6.2). */
  private boolean hearsLeader() {
    long withinMs = member.config.electionTimeoutMs();
    if (roles.role() instanceof Follower follower) {
      return follower.hearsLeader(member.nowMs(), withinMs);
    }
    return roles.role() instanceof Leader leader
        && member.nowMs() - leader.quorumHeardMs(member.membership(), member.nowMs()) < withinMs;
  }

  /** Why this vote cannot be given, or null if it can. */
  private String whyRefuse(RequestVote request) {
    if (request.term() < roles.term()) {
      return "term is older";
    }
    if (member.membership().isEmpty()) {
      return "it was not added to the cluster yet";
    }
    if (isLoyal(request)) {
      return "it hears a leader";
    }
    NodeId votedFor = roles.votedFor();
    if (request.term() == roles.term() && !votedFor.isNone() && !votedFor.equals(request.from())) {
      return "already voted for another in this term";
    }
    if (compareLogs(request) < 0) {
      return "log is behind";
    }
    return null;
  }

  /** How up to date the asking log is against this one: by last term, then by length (§3.6.1). */
  private int compareLogs(RequestVote request) {
    int byTerm = Long.compare(request.lastLogTerm(), member.log.lastTerm());
    return byTerm != 0 ? byTerm : Long.compare(request.lastLogIndex(), member.log.last());
  }

  private void grant(RequestVote request) {
    roles.voteFor(request.from());
    if (roles.role() instanceof Follower follower) {
      follower.postponeElection(member.drawElectionAtMs());
    } else if (roles.role() instanceof PreCandidate) {
      roles.becomeFollower(roles.term(), NodeId.NONE, "voted for another");
    }
    answer(request, true, "log is up to date");
  }

  /**
   * Ends its own pre-vote if the other has the better log, or as good a one and the smaller id. Two
   * that lose their leader at the same moment would otherwise both pass the pre-vote and split the
   * vote.
   */
  private void giveWayTo(RequestVote request) {
    boolean sameTerm = request.term() == roles.term() + 1;
    int logs = compareLogs(request);
    boolean outranked = logs > 0 || logs == 0 && request.from().compareTo(member.self) < 0;
    if (roles.role() instanceof PreCandidate && sameTerm && outranked) {
      roles.becomeFollower(roles.term(), NodeId.NONE, "gave way to another pre-candidate");
    }
  }

  private void answer(RequestVote request, boolean granted, String why) {
    member.trace.voteAnswered(member.nowMs(), request, granted, why);
    member.effects.sendOnceHardStateIsDurable(
        new RequestVoteReply(
            member.self, request.from(), roles.term(), request.preVote(), granted, request.term()));
  }

  void receive(RequestVoteReply reply) {
    boolean grantedPreVote = reply.preVote() && reply.granted();
    if (reply.term() > roles.term() && !grantedPreVote) {
      roles.becomeFollower(reply.term(), NodeId.NONE, "refused in a newer term");
      return;
    }
    if (reply.preVote()) {
      if (roles.role() instanceof PreCandidate candidate
          && reply.requestTerm() == roles.term() + 1) {
        candidate.tally().add(reply.from(), reply.granted());
        countPreVotes(candidate);
      }
    } else if (roles.role() instanceof Candidate candidate && reply.requestTerm() == roles.term()) {
      candidate.tally().add(reply.from(), reply.granted());
      countVotes(candidate);
    }
  }

  /** The way to a peer broke: if it is the leader, asks for votes after a little jitter. */
  void disconnected(NodeId peer) {
    if (roles.role() instanceof Follower follower && follower.leader().equals(peer)) {
      follower.lost(member.drawJitterEndMs());
      for (long id : follower.reads().takeAll()) {
        member.readFailed(id);
      }
      member.trace.leaderLost(member.nowMs(), peer);
    }
  }
}

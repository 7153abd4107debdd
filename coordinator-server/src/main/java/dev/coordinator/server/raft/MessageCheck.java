// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import dev.coordinator.server.raft.RaftMessage.AppendEntries;
import dev.coordinator.server.raft.RaftMessage.AppendEntriesReply;
import dev.coordinator.server.raft.RaftMessage.InstallSnapshot;
import dev.coordinator.server.raft.RaftMessage.InstallSnapshotReply;
import dev.coordinator.server.raft.RaftMessage.ReadIndexReply;
import dev.coordinator.server.raft.RaftMessage.RequestVote;
import dev.coordinator.server.raft.RaftMessage.RequestVoteReply;
import dev.coordinator.server.raft.RaftMessage.TimeoutNow;

/** Tells which messages no correct member of the cluster can have sent to this one. */
final class MessageCheck {

  private static final long MAX_INDEX = 1L << 62;

  private final NodeId self;
  private final RaftLog log;
  private final Roles roles;

  MessageCheck(Member member, Roles roles) {
    this.self = member.self;
    this.log = member.log;
    this.roles = roles;
  }

  /** Why the message must be ignored, or null if it may be taken. */
  String whyIgnore(Sender sender, RaftMessage message) {
    if (!self.equals(message.to())) {
      return "it is for another member";
    }
    if (self.equals(message.from())) {
      return "it claims to come from this member";
    }
    String whyStranger = whyStranger(sender, message);
    if (whyStranger != null) {
      return whyStranger;
    }
    if (message.term() < 0 || message.term() > Roles.MAX_TERM) {
      return "its term is impossible";
    }
    if (message instanceof AppendEntries append) {
      return whyIgnoreAppend(append);
    }
    boolean possible = true;
    if (message instanceof RequestVote vote) {
      possible = isPosition(vote.lastLogIndex(), vote.lastLogTerm(), vote.term() - 1);
    } else if (message instanceof AppendEntriesReply reply) {
      possible =
          isIndex(reply.matchIndex())
              && isIndex(reply.rejectedIndex())
              && isIndex(reply.conflictIndex())
              && reply.conflictTerm() >= 0
              && reply.conflictTerm() <= reply.term()
              && reply.round() >= 0;
    } else if (message instanceof InstallSnapshot chunk) {
      possible = isPossible(chunk);
    } else if (message instanceof InstallSnapshotReply reply) {
      possible =
          isIndex(reply.snapshotIndex())
              && reply.snapshotIndex() >= 1
              && reply.nextOffset() >= 0
              && reply.round() >= 0;
    } else if (message instanceof RequestVoteReply reply) {
      possible = reply.requestTerm() >= 0;
    } else if (message instanceof TimeoutNow timeout) {
      possible = isIndex(timeout.lastLogIndex());
    } else if (message instanceof ReadIndexReply reply) {
      possible = isIndex(reply.index());
    }
    return possible ? null : "its values are impossible";
  }

  /**
   * Why the sender may not speak here, or null if it may. Whoever belongs to the present
   * configuration may, and whoever belongs to the last one that is known to be committed, since the
   * present one may be taken back. So may somebody unknown who goes by a later configuration than
   * the committed one: this member is behind, and that one may be its leader. And so may the leader
   * of this term, whatever has become of it: one that is removed leads until it has handed over
   * (§4.2.2).
   *
   * <p>A known id with another data directory is one that lost its own, unless it was removed and
   * added again, which a member that is behind does not know yet. If it leads, it was: those who
   * know elected it. As a voter it must not count.
   */
  private String whyStranger(Sender sender, RaftMessage message) {
    NodeId from = message.from();
    Configurations configurations = log.configurations();
    Configurations.Configuration committed = configurations.asOf(log.committed());
    MemberInfo info = configurations.present().member(from);
    if (info == null) {
      info = committed.membership().member(from);
    }
    boolean knowsMore = sender.membershipIndex() > committed.index();
    if (info == null) {
      return knowsMore || isFollowed(message) ? null : "it comes from a stranger";
    }
    boolean isKnown = info.incarnation() == 0 || info.incarnation() == sender.incarnation();
    boolean leads = message instanceof AppendEntries || message instanceof InstallSnapshot;
    return isKnown || leads && knowsMore
        ? null
        : "its data directory is not the one that is known of this member:"
            + " remove it and add it again, with a new id";
  }

  private boolean isFollowed(RaftMessage message) {
    return message.term() == roles.term()
        && roles.role() instanceof Follower follower
        && follower.follows(message.from());
  }

  private static String whyIgnoreAppend(AppendEntries append) {
    if (append.leaderCommit() < 0 || append.round() < 0 || append.clusterTimeMs() < 0) {
      return "its values are impossible";
    }
    if (!isPosition(append.prevLogIndex(), append.prevLogTerm(), append.term())) {
      return "its previous entry is impossible";
    }
    long index = append.prevLogIndex();
    long term = append.prevLogTerm();
    long stampMs = 0;
    for (Entry entry : append.entries()) {
      index++;
      if (entry.index() != index) {
        return "its entries are not consecutive";
      }
      if (entry.term() < Math.max(term, 1) || entry.term() > append.term()) {
        return "the terms of its entries are impossible";
      }
      if (entry.clusterTimeMs() < stampMs) {
        return "the times of its entries fall";
      }
      term = entry.term();
      stampMs = entry.clusterTimeMs();
    }
    return null;
  }

  private static boolean isPossible(InstallSnapshot chunk) {
    SnapshotMeta snapshot = chunk.snapshot();
    return snapshot.index() >= 1
        && isPosition(snapshot.index(), snapshot.last().term(), chunk.term())
        && snapshot.clusterTimeMs() >= 0
        && snapshot.membershipIndex() >= 0
        && snapshot.membershipIndex() <= snapshot.index()
        && chunk.data().length >= 1
        && chunk.offset() >= 0
        && chunk.offset() <= chunk.totalBytes() - chunk.data().length
        && chunk.round() >= 0
        && chunk.clusterTimeMs() >= 0;
  }

  private static boolean isIndex(long index) {
    return index >= 0 && index <= MAX_INDEX;
  }

  /** Whether an entry can be there: none at 0, others with a term from 1 to {@code maxTerm}. */
  private static boolean isPosition(long index, long term, long maxTerm) {
    return isIndex(index) && (index == 0 ? term == 0 : term >= 1) && term <= maxTerm;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import dev.coordinator.server.raft.RaftMessage.AppendEntriesReply;
import dev.coordinator.server.raft.RaftMessage.InstallSnapshot;
import dev.coordinator.server.raft.RaftMessage.RequestVote;

/** Writes what a member does, and why, as lines such as {@code [ 110] 2 > grants vote to 1}. */
final class Story implements RaftTrace {

  private final StringBuilder out;
  private final NodeId self;

  Story(StringBuilder out, NodeId self) {
    this.out = out;
    this.self = self;
  }

  private void tell(long nowMs, String what) {
    tell(out, nowMs, self.toString(), what);
  }

  static void tell(StringBuilder out, long nowMs, String who, String what) {
    String time = Long.toString(nowMs);
    out.append('[').append(" ".repeat(Math.max(0, 5 - time.length()))).append(time).append("] ");
    out.append(who).append(" > ").append(what).append('\n');
  }

  @Override
  public void roleChanged(long nowMs, RoleKind role, long term, NodeId leader, String why) {
    String what =
        switch (role) {
          case FOLLOWER -> leader.isNone() ? "waits for a leader" : "follows " + leader;
          case PRE_CANDIDATE -> "asks for pre-votes";
          case CANDIDATE -> "asks for votes";
          case LEADER -> "leads";
        };
    tell(nowMs, what + " in term " + term + ": " + why);
  }

  @Override
  public void electionEnded(long nowMs, boolean preVote, long term, ElectionResult result) {
    String what = preVote ? "pre-vote for" : "election of";
    String end =
        switch (result) {
          case WON -> "won";
          case LOST -> "lost";
          case TIMED_OUT -> "timed out";
        };
    tell(nowMs, what + " term " + term + " " + end);
  }

  @Override
  public void voteAnswered(long nowMs, RequestVote request, boolean granted, String why) {
    String kind = request.preVote() ? "pre-vote" : "vote";
    String verb = granted ? "grants " : "refuses ";
    String whom = " to " + request.from() + " for term " + request.term();
    tell(nowMs, verb + kind + whom + ": " + why);
  }

  @Override
  public void truncated(long nowMs, long fromIndex) {
    tell(nowMs, "drops its entries from " + fromIndex + " on");
  }

  @Override
  public void appendRejected(long nowMs, AppendEntriesReply reply) {
    String why =
        reply.conflictTerm() == 0
            ? "next would be " + reply.conflictIndex()
            : "has term " + reply.conflictTerm() + " from " + reply.conflictIndex() + " on";
    if (reply.from().equals(self)) {
      String request = "refuses entries of " + reply.to() + " after " + reply.rejectedIndex();
      tell(nowMs, request + " in term " + reply.term() + ": " + why);
    } else {
      tell(nowMs, "probes " + reply.from() + ", which refused after " + reply.rejectedIndex());
    }
  }

  @Override
  public void committed(long nowMs, long index) {
    tell(nowMs, "commits up to " + index);
  }

  @Override
  public void snapshotTaken(long nowMs, SnapshotMeta snapshot) {
    tell(nowMs, "has taken a snapshot up to " + snapshot.last());
  }

  @Override
  public void compacted(long nowMs, long index) {
    tell(nowMs, "drops its entries up to " + index + ", which a snapshot has");
  }

  @Override
  public void snapshotSent(long nowMs, NodeId follower, SnapshotMeta snapshot) {
    tell(nowMs, "sends " + follower + " the snapshot up to " + snapshot.last());
  }

  @Override
  public void chunkStored(long nowMs, InstallSnapshot chunk, long nextOffset) {
    String part = nextOffset + " of " + chunk.totalBytes() + " bytes";
    tell(nowMs, "has " + part + " of the snapshot up to " + chunk.snapshot().last());
  }

  @Override
  public void snapshotInstalled(long nowMs, SnapshotMeta snapshot, boolean logDiscarded) {
    String log = logDiscarded ? ", discards its log" : ", keeps its entries after it";
    tell(nowMs, "takes over the snapshot up to " + snapshot.last() + log);
  }

  @Override
  public void snapshotNotNeeded(long nowMs, SnapshotMeta snapshot) {
    tell(nowMs, "needs no snapshot up to " + snapshot.last());
  }

  @Override
  public void configurationChanged(long nowMs, long index, Membership membership) {
    tell(nowMs, "goes by " + membership + (index == 0 ? "" : " of entry " + index));
  }

  @Override
  public void transferStarted(long nowMs, NodeId target) {
    tell(nowMs, "hands over to " + target);
  }

  @Override
  public void transferGivenUp(long nowMs, NodeId target, String why) {
    tell(nowMs, "no longer hands over to " + target + ": " + why);
  }

  @Override
  public void leaderLost(long nowMs, NodeId leader) {
    tell(nowMs, "lost the connection to leader " + leader);
  }

  @Override
  public void ignored(long nowMs, RaftMessage message, String why) {
    String kind = message.getClass().getSimpleName();
    tell(nowMs, "ignores " + kind + " of " + message.from() + ": " + why);
  }

  @Override
  public void readWaits(long nowMs, long id, String why) {
    tell(nowMs, "read r" + id + " waits: " + why);
  }

  @Override
  public void readSafe(long nowMs, long id, long index) {
    tell(nowMs, "read r" + id + " is safe at " + index);
  }

  @Override
  public void readFailed(long nowMs, long id) {
    tell(nowMs, "read r" + id + " failed");
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.List;

/** What members say to each other. Requests and their replies are one-way messages to the core. */
public sealed interface RaftMessage {

  NodeId from();

  NodeId to();

  /** The sender's term. A pre-vote request carries the term that the sender would campaign in. */
  long term();

  /**
   * Asks for a vote (§3.4), or with {@code preVote} whether one would be given (§9.6).
   *
   * @param transfer whether the leader itself asked for this election (§3.10), so that a voter who
   *     hears that leader may vote all the same
   */
  record RequestVote(
      NodeId from,
      NodeId to,
      long term,
      boolean preVote,
      long lastLogIndex,
      long lastLogTerm,
      boolean transfer)
      implements RaftMessage {

    /** A request that no leader asked for. */
    public RequestVote(
        NodeId from, NodeId to, long term, boolean preVote, long lastLogIndex, long lastLogTerm) {
      this(from, to, term, preVote, lastLogIndex, lastLogTerm, false);
    }
  }

  /**
   * Answers {@link RequestVote}.
   *
   * @param requestTerm the term of the request that is answered
   */
  record RequestVoteReply(
      NodeId from, NodeId to, long term, boolean preVote, boolean granted, long requestTerm)
      implements RaftMessage {}

  /**
   * Replicates entries; a heartbeat has none (§3.5).
   *
   * @param round how many rounds of confirming its leadership the sender has begun (§6.4)
   * @param clusterTimeMs the sender's cluster time
   */
  record AppendEntries(
      NodeId from,
      NodeId to,
      long term,
      long prevLogIndex,
      long prevLogTerm,
      List<Entry> entries,
      long leaderCommit,
      long round,
      long clusterTimeMs)
      implements RaftMessage {}

  /**
   * Answers {@link AppendEntries}.
   *
   * @param matchIndex on success, the last index held durably and in agreement with the leader
   * @param rejectedIndex on failure, the {@code prevLogIndex} that was refused
   * @param conflictTerm on failure, the term of the conflicting entry; 0 if the log is too short
   * @param conflictIndex on failure, the first index of that term, or the one after a short log
   * @param round the round of the request
   */
  record AppendEntriesReply(
      NodeId from,
      NodeId to,
      long term,
      boolean success,
      long matchIndex,
      long rejectedIndex,
      long conflictTerm,
      long conflictIndex,
      long round)
      implements RaftMessage {}

  /**
   * Tells a follower that is up to date to campaign at once, because the leader hands over (§3.10).
   *
   * @param lastLogIndex where the leader's log ends; a follower whose log ends elsewhere got the
   *     message too late
   */
  record TimeoutNow(NodeId from, NodeId to, long term, long lastLogIndex) implements RaftMessage {}

  /**
   * Asks the leader from which index on a linearizable read may be answered here (§6.4).
   *
   * @param request which question of the sender this is; it never asks two by one number, not even
   *     over a restart
   */
  record ReadIndex(NodeId from, NodeId to, long term, long request) implements RaftMessage {}

  /**
   * Answers {@link ReadIndex}.
   *
   * @param confirmed whether the sender led after it was asked; else {@code index} means nothing
   * @param index everything up to here must be applied before the read is answered
   */
  record ReadIndexReply(
      NodeId from, NodeId to, long term, long request, boolean confirmed, long index)
      implements RaftMessage {}

  /**
   * Brings a part of a snapshot to a follower that needs entries which the leader no longer has
   * (§5.1).
   *
   * @param snapshot which one
   * @param totalBytes the size of the whole
   * @param offset where in it this part begins
   * @param checksum the CRC32C of {@code data}
   * @param round how many rounds of confirming its leadership the sender has begun (§6.4)
   * @param clusterTimeMs the sender's cluster time
   */
  record InstallSnapshot(
      NodeId from,
      NodeId to,
      long term,
      SnapshotMeta snapshot,
      long totalBytes,
      long offset,
      byte[] data,
      int checksum,
      long round,
      long clusterTimeMs)
      implements RaftMessage {}

  /**
   * Answers {@link InstallSnapshot}.
   *
   * @param snapshotIndex the last entry of the snapshot
   * @param nextOffset how much of it is safely there, so where to go on
   * @param installed whether the follower needs no more of it: it holds durably all that is in it
   */
  record InstallSnapshotReply(
      NodeId from,
      NodeId to,
      long term,
      long snapshotIndex,
      long nextOffset,
      boolean installed,
      long round)
      implements RaftMessage {}
}

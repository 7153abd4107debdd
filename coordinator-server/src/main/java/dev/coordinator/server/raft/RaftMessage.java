// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.List;

/** What members say to each other. Requests and their replies are one-way messages to the core. */
public sealed interface RaftMessage {

  NodeId from();

  NodeId to();

  /** The sender's term. A pre-vote request carries the term that the sender would campaign in. */
  long term();

  /** Asks for a vote (§3.4), or with {@code preVote} whether one would be given (§9.6). */
  record RequestVote(
      NodeId from, NodeId to, long term, boolean preVote, long lastLogIndex, long lastLogTerm)
      implements RaftMessage {}

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

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/**
 * Watches the protocol: for logs, metrics and golden texts. Implementations must not call back into
 * the core. Every method does nothing unless overridden.
 */
public interface RaftTrace {

  /** An observer that ignores everything. */
  RaftTrace NONE = new RaftTrace() {};

  /** The member changed its role or, as a follower, its leader. {@code why} is for people. */
  default void roleChanged(long nowMs, RoleKind role, long term, NodeId leader, String why) {}

  default void termChanged(long nowMs, long term, String why) {}

  /** A pre-vote or an election began. */
  default void electionStarted(long nowMs, boolean preVote, long term, String why) {}

  /** A pre-vote or an election of this member ended. */
  default void electionEnded(long nowMs, boolean preVote, long term, ElectionResult result) {}

  default void voteAnswered(
      long nowMs, RaftMessage.RequestVote request, boolean granted, String why) {}

  /** Entries at {@code fromIndex} and after it gave way to those of a newer leader. */
  default void truncated(long nowMs, long fromIndex) {}

  /** A follower refused entries, or this follower did. */
  default void appendRejected(long nowMs, RaftMessage.AppendEntriesReply reply) {}

  default void committed(long nowMs, long index) {}

  /** A snapshot of this member's own state is durable. */
  default void snapshotTaken(long nowMs, SnapshotMeta snapshot) {}

  /** The log begins after {@code index} now: a snapshot stands for what was before. */
  default void compacted(long nowMs, long index) {}

  /** A follower needs entries that are gone, so it gets a snapshot. */
  default void snapshotSent(long nowMs, NodeId follower, SnapshotMeta snapshot) {}

  /** This follower has the snapshot up to {@code nextOffset}. */
  default void chunkStored(long nowMs, RaftMessage.InstallSnapshot chunk, long nextOffset) {}

  /**
   * A snapshot of the leader replaced the state of this member.
   *
   * @param logDiscarded whether its log went too, since it was of another history
   */
  default void snapshotInstalled(long nowMs, SnapshotMeta snapshot, boolean logDiscarded) {}

  /** A snapshot came that is not ahead of what is committed here: nothing changes. */
  default void snapshotNotNeeded(long nowMs, SnapshotMeta snapshot) {}

  /** The connection to the leader broke; it counts as lost until it is heard again. */
  default void leaderLost(long nowMs, NodeId leader) {}

  /** A message was dropped because no correct member can have sent it, or not to this one. */
  default void ignored(long nowMs, RaftMessage message, String why) {}

  /**
   * Another configuration counts from now on.
   *
   * @param index the entry that set it
   */
  default void configurationChanged(long nowMs, long index, Membership membership) {}

  /** A leader begins to hand over to this member (§3.10). */
  default void transferStarted(long nowMs, NodeId target) {}

  /** A leader that still leads no longer tries to hand over. */
  default void transferGivenUp(long nowMs, NodeId target, String why) {}

  default void readWaits(long nowMs, long id, String why) {}

  default void readSafe(long nowMs, long id, long index) {}

  /** Leadership, or the leader, was lost before the read was safe; or the leader did not answer. */
  default void readFailed(long nowMs, long id) {}

  /** How an election ended. */
  enum ElectionResult {
    WON,
    LOST,
    TIMED_OUT
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/** A member that waits for a leader, or hears one. */
final class Follower implements Role {

  private final NodeId leader;

  private final FollowerReads reads = new FollowerReads();
  private boolean disconnected;
  private boolean keepsUp;
  private long committed = Long.MAX_VALUE;
  private long lastHeardMs;
  private long electionAtMs;

  Follower(NodeId leader, long nowMs, long electionAtMs) {
    this.leader = leader;
    this.lastHeardMs = nowMs;
    this.electionAtMs = electionAtMs;
  }

  @Override
  public RoleKind kind() {
    return RoleKind.FOLLOWER;
  }

  @Override
  public NodeId leader() {
    return disconnected ? NodeId.NONE : leader;
  }

  @Override
  public long wakeupMs() {
    return Math.min(electionAtMs, reads.deadlineMs());
  }

  long electionAtMs() {
    return electionAtMs;
  }

  FollowerReads reads() {
    return reads;
  }

  /** Whether it follows somebody, heard or not. */
  boolean hasLeader() {
    return !leader.isNone();
  }

  /** Whether this member leads in the term, heard or not. */
  boolean follows(NodeId member) {
    return leader.equals(member);
  }

  /** Whether another member claims to lead in the term of this one's leader. */
  boolean followsOtherThan(NodeId member) {
    return hasLeader() && !leader.equals(member);
  }

  /**
   * Whether the leader was heard within the time, over a connection that is not known to be broken.
   */
  boolean hearsLeader(long nowMs, long withinMs) {
    return !leader().isNone() && nowMs - lastHeardMs < withinMs;
  }

  /**
   * Whether the last message of the leader left it with all that is committed, or with more than
   * before. If none does so, the leader does not take its answers.
   */
  boolean keepsUp() {
    return keepsUp;
  }

  /**
   * A message of the leader was taken.
   *
   * @param leaderCommitted how much is committed, as the leader says
   * @param nowCommitted how much this member knows of that by now
   */
  void learnt(long leaderCommitted, long nowCommitted) {
    keepsUp = nowCommitted >= leaderCommitted || nowCommitted > committed;
    committed = nowCommitted;
  }

  /** A part of a snapshot came, which a leader sends only to one that it hears. */
  void gotPart() {
    keepsUp = true;
  }

  /** Why an election is due once its time has come. */
  String whyElection() {
    return disconnected
        ? "the connection to leader " + leader + " broke"
        : "no leader was heard in time";
  }

  void heard(long nowMs, long nextElectionAtMs) {
    disconnected = false;
    lastHeardMs = nowMs;
    electionAtMs = nextElectionAtMs;
  }

  /** The connection to the leader broke: it counts as lost from this moment on. */
  void lost(long nextElectionAtMs) {
    disconnected = true;
    electionAtMs = Math.min(electionAtMs, nextElectionAtMs);
  }

  void postponeElection(long nextElectionAtMs) {
    electionAtMs = nextElectionAtMs;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** A member that was elected: what it knows of its followers, and the reads it must confirm. */
final class Leader implements Role {

  private static final long NEVER = Long.MAX_VALUE;

  private final NodeId self;
  private final long firstIndex;
  private final Map<NodeId, Progress> followers = new TreeMap<>();
  private final ReadQueue reads = new ReadQueue();
  private long round;
  private long heartbeatAtMs;
  private boolean owesHeartbeat;
  private long noticeAtMs = NEVER;
  private boolean owesNotice;
  private long stepDownAtMs;
  private long durableSeen;
  private long diskAliveMs;
  private Transfer transfer;
  private boolean leaving;

  /** Data directories of members that the configuration does not have yet. */
  private final SortedMap<NodeId, Long> unrecorded = new TreeMap<>();

  /**
   * @param firstIndex the index of the entry that opens its term
   */
  Leader(NodeId self, Membership membership, long firstIndex, long nowMs, RaftConfig config) {
    this.self = self;
    this.firstIndex = firstIndex;
    follow(membership, firstIndex, nowMs);
    heartbeatAtMs = nowMs + config.heartbeatIntervalMs();
    stepDownAtMs = nowMs + config.electionTimeoutMs();
    diskAliveMs = nowMs;
  }

  @Override
  public RoleKind kind() {
    return RoleKind.LEADER;
  }

  @Override
  public NodeId leader() {
    return self;
  }

  @Override
  public long wakeupMs() {
    long dueMs = Math.min(stepDownAtMs, Math.min(heartbeatAtMs, noticeAtMs));
    return transfer == null ? dueMs : Math.min(dueMs, transfer.deadlineMs());
  }

  /** The index of the entry that opened the term: once it is committed, so is all before it. */
  long firstIndex() {
    return firstIndex;
  }

  Collection<Progress> followers() {
    return Collections.unmodifiableCollection(followers.values());
  }

  /** What is known of a follower, or null of a member that is none. */
  Progress progress(NodeId member) {
    return followers.get(member);
  }

  /**
   * Replicates to everybody in this configuration, beginning with this index for those that come.
   */
  void follow(Membership membership, long nextIndex, long nowMs) {
    for (MemberInfo info : membership.members()) {
      NodeId id = info.id();
      if (!id.equals(self) && !followers.containsKey(id)) {
        followers.put(id, new Progress(id, nextIndex, nowMs));
      }
    }
  }

  /** Replicates no longer to this member. */
  void unfollow(NodeId id) {
    followers.remove(id);
  }

  /** The handing over that is under way, or null. */
  Transfer transfer() {
    return transfer;
  }

  /** Hands over, or with null no longer. */
  void transferTo(Transfer newTransfer) {
    transfer = newTransfer;
  }

  NodeId transferTarget() {
    return transfer == null ? NodeId.NONE : transfer.target();
  }

  /** Whether it leads only until somebody in the configuration takes over. */
  boolean isLeaving() {
    return leaving;
  }

  void leaves() {
    leaving = true;
  }

  SortedMap<NodeId, Long> unrecorded() {
    return unrecorded;
  }

  ReadQueue reads() {
    return reads;
  }

  /** How many rounds of confirming its leadership it has begun (§6.4). */
  long round() {
    return round;
  }

  void beginRound() {
    round++;
    owesHeartbeat = true;
  }

  /** The latest round that a majority, itself included, has answered. */
  long confirmedRound(Membership membership) {
    return membership.reachedByQuorum(id -> id.equals(self) ? round : followers.get(id).round());
  }

  /** The last index that a majority holds durably; itself counts with what its own disk holds. */
  long quorumMatch(Membership membership, long ownDurable) {
    return membership.reachedByQuorum(
        id -> id.equals(self) ? ownDurable : followers.get(id).match());
  }

  /** Until when a majority was heard. */
  long quorumHeardMs(Membership membership, long nowMs) {
    return membership.reachedByQuorum(
        id -> id.equals(self) ? nowMs : followers.get(id).lastHeardMs());
  }

  /** Whether a majority has agreed with it and was heard since then. */
  boolean isAnsweredByQuorum(Membership membership, long sinceMs) {
    return membership.reachedByQuorum(
            id -> id.equals(self) || followers.get(id).isAnswering(sinceMs) ? 1 : 0)
        > 0;
  }

  long heartbeatAtMs() {
    return heartbeatAtMs;
  }

  /** The next flush sends heartbeats; the timer runs again. */
  void oweHeartbeat(long nextAtMs) {
    owesHeartbeat = true;
    heartbeatAtMs = nextAtMs;
  }

  boolean owesHeartbeat() {
    return owesHeartbeat;
  }

  long stepDownAtMs() {
    return stepDownAtMs;
  }

  void stepDownAt(long timeMs) {
    stepDownAtMs = timeMs;
  }

  /** Takes note of how far its own disk is, and whether that is all there is to write. */
  void noteDisk(long durable, boolean idle, long nowMs) {
    if (durable != durableSeen || idle) {
      durableSeen = durable;
      diskAliveMs = nowMs;
    }
  }

  /** When its own disk was last seen to get on, or to have nothing to do. */
  long diskAliveMs() {
    return diskAliveMs;
  }

  /** When followers are to be told of a commit that no message has told them yet. */
  long noticeAtMs() {
    return noticeAtMs;
  }

  void noticeBy(long timeMs) {
    noticeAtMs = Math.min(noticeAtMs, timeMs);
  }

  /** The next flush tells the followers of the commit. */
  void oweNotice() {
    owesNotice = true;
    noticeAtMs = NEVER;
  }

  boolean owesNotice() {
    return owesNotice;
  }

  /** What was due has been sent. */
  void paid() {
    owesHeartbeat = false;
    owesNotice = false;
  }

  List<RaftStatus.FollowerStatus> status() {
    List<RaftStatus.FollowerStatus> result = new ArrayList<>(followers.size());
    for (Progress follower : followers.values()) {
      result.add(
          new RaftStatus.FollowerStatus(
              follower.member(),
              follower.match(),
              follower.lastHeardMs(),
              follower.snapshot() == null ? 0 : follower.snapshot().index()));
    }
    return result;
  }
}

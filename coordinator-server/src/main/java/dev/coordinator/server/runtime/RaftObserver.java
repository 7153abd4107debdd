// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.metrics.RaftMetrics;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.RaftTrace;
import dev.coordinator.server.raft.RoleKind;
import dev.coordinator.server.raft.SnapshotMeta;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Sees what the protocol does: publishes who leads, writes the log lines and counts. Notes for the
 * loop that leadership was lost, because between two inputs it may be won again.
 */
final class RaftObserver implements RaftTrace {

  private static final Logger log = LoggerFactory.getLogger(RaftObserver.class);

  private static final long STRANDED_AFTER_MS = 10_000;

  private final NodeId self;
  private final NodeBoard board;
  private final RaftMetrics metrics;
  private final RaftTrace next;

  private boolean lostLeadership;
  private boolean changed = true;
  private NodeId lastLeader = NodeId.NONE;
  private final RareWarnings ignoredWarnings = new RareWarnings();
  private final RareWarnings strandedWarnings = new RareWarnings();

  /** Since when this follower learns nothing from its leader; negative if it does. */
  private long strandedSinceMs = -1;

  private boolean campaigning;
  private long campaignSinceMs;

  RaftObserver(NodeId self, NodeBoard board, RaftMetrics metrics, RaftTrace next) {
    this.self = self;
    this.board = board;
    this.metrics = metrics;
    this.next = next;
  }

  /** Whether this member has stopped being leader since the last call. */
  boolean takeLostLeadership() {
    boolean lost = lostLeadership;
    lostLeadership = false;
    return lost;
  }

  /** Whether role, term or leader have changed since the last call. */
  boolean takeChanged() {
    boolean was = changed;
    changed = false;
    return was;
  }

  @Override
  public void roleChanged(long nowMs, RoleKind role, long term, NodeId leader, String why) {
    Leadership before = board.leadership();
    lostLeadership |= before.isLeader();
    publish(new Leadership(role, term, leader));
    if (!leader.isNone()) {
      if (!leader.equals(lastLeader)) {
        lastLeader = leader;
        metrics.leaderChanged();
      }
      if (campaigning) {
        campaigning = false;
        metrics.electionDuration(nowMs - campaignSinceMs);
      }
    }
    if (!before.equals(board.leadership())) {
      log.info(
          "member {}: {} -> {} in term {}, leader {}: {}",
          self,
          before.role(),
          role,
          term,
          leader.isNone() ? "unknown" : leader,
          why);
    }
    next.roleChanged(nowMs, role, term, leader, why);
  }

  @Override
  public void termChanged(long nowMs, long term, String why) {
    Leadership before = board.leadership();
    metrics.termChanged(term);
    log.info("member {}: term {} -> {}: {}", self, before.term(), term, why);
    // A leader has no other term than its own; its change of role follows and is told as such.
    if (!before.isLeader()) {
      publish(new Leadership(before.role(), term, NodeId.NONE));
    }
    next.termChanged(nowMs, term, why);
  }

  @Override
  public void electionStarted(long nowMs, boolean preVote, long term, String why) {
    if (!campaigning) {
      campaigning = true;
      campaignSinceMs = nowMs;
    }
    log.atLevel(level(preVote))
        .log("member {}: {} for term {} begins: {}", self, kind(preVote), term, why);
    next.electionStarted(nowMs, preVote, term, why);
  }

  @Override
  public void electionEnded(long nowMs, boolean preVote, long term, ElectionResult result) {
    metrics.electionEnded(preVote, result == ElectionResult.TIMED_OUT ? "timeout" : result.name());
    log.atLevel(level(preVote))
        .log("member {}: {} for term {} ended: {}", self, kind(preVote), term, result);
    next.electionEnded(nowMs, preVote, term, result);
  }

  @Override
  public void voteAnswered(
      long nowMs, RaftMessage.RequestVote request, boolean granted, String why) {
    log.atLevel(level(request.preVote()))
        .log(
            "member {}: {} of {} for term {} {}: {}",
            self,
            kind(request.preVote()),
            request.from(),
            request.term(),
            granted ? "granted" : "refused",
            why);
    next.voteAnswered(nowMs, request, granted, why);
  }

  @Override
  public void truncated(long nowMs, long fromIndex) {
    metrics.truncated();
    log.info("member {}: entries from {} on gave way to a newer leader's", self, fromIndex);
    next.truncated(nowMs, fromIndex);
  }

  @Override
  public void appendRejected(long nowMs, RaftMessage.AppendEntriesReply reply) {
    if (!reply.from().equals(self)) {
      metrics.appendRejected(reply.from().value());
    }
    log.debug("member {}: append rejected: {}", self, reply);
    next.appendRejected(nowMs, reply);
  }

  /**
   * Asked each round. A leader goes by what its followers answer, so it soon sends what brings them
   * on; unless it ignores the answers of this member.
   *
   * @param stranded whether a leader is known, but nothing is learnt from it
   */
  void warnIfStranded(boolean stranded, long nowMs) {
    if (!stranded) {
      strandedSinceMs = -1;
    } else if (strandedSinceMs < 0) {
      strandedSinceMs = nowMs;
    } else if (nowMs - strandedSinceMs >= STRANDED_AFTER_MS
        && strandedWarnings.isDue(self, nowMs)) {
      log.warn(
          "member {}: the leader sends nothing that brings this member on, as if it did not hear"
              + " it. If the data directory was lost or put back from a copy, remove the member"
              + " from the cluster and add it again with a new id and an empty directory",
          self);
    }
  }

  @Override
  public void committed(long nowMs, long index) {
    next.committed(nowMs, index);
  }

  @Override
  public void leaderLost(long nowMs, NodeId leader) {
    log.info("member {}: the connection to leader {} broke", self, leader);
    next.leaderLost(nowMs, leader);
  }

  @Override
  public void ignored(long nowMs, RaftMessage message, String why) {
    metrics.messageIgnored();
    boolean isMember = board.membership().contains(message.from());
    if (isMember && ignoredWarnings.isDue(message.from(), nowMs)) {
      log.warn("member {}: ignores what member {} says: {}", self, message.from(), why);
    } else {
      log.debug("member {}: ignored {}: {}", self, message, why);
    }
    next.ignored(nowMs, message, why);
  }

  @Override
  public void snapshotTaken(long nowMs, SnapshotMeta snapshot) {
    next.snapshotTaken(nowMs, snapshot);
  }

  @Override
  public void compacted(long nowMs, long index) {
    log.debug("member {}: the log begins after entry {}", self, index);
    next.compacted(nowMs, index);
  }

  @Override
  public void snapshotSent(long nowMs, NodeId follower, SnapshotMeta snapshot) {
    log.info(
        "member {}: member {} lacks entries that are gone, and gets the snapshot up to entry {}",
        self,
        follower,
        snapshot.last());
    next.snapshotSent(nowMs, follower, snapshot);
  }

  @Override
  public void chunkStored(long nowMs, RaftMessage.InstallSnapshot chunk, long nextOffset) {
    next.chunkStored(nowMs, chunk, nextOffset);
  }

  @Override
  public void snapshotInstalled(long nowMs, SnapshotMeta snapshot, boolean logDiscarded) {
    metrics.snapshotInstalled();
    log.info(
        "member {}: the leader's snapshot up to entry {} replaces the state{}",
        self,
        snapshot.last(),
        logDiscarded ? " and the log" : "");
    next.snapshotInstalled(nowMs, snapshot, logDiscarded);
  }

  @Override
  public void snapshotNotNeeded(long nowMs, SnapshotMeta snapshot) {
    log.debug("member {}: has all that is in snapshot {}", self, snapshot.last());
    next.snapshotNotNeeded(nowMs, snapshot);
  }

  @Override
  public void configurationChanged(long nowMs, long index, Membership membership) {
    log.info("member {}: the members are {} from entry {} on", self, membership, index);
    next.configurationChanged(nowMs, index, membership);
  }

  @Override
  public void transferStarted(long nowMs, NodeId target) {
    log.info("member {}: hands leadership over to member {}", self, target);
    next.transferStarted(nowMs, target);
  }

  @Override
  public void transferGivenUp(long nowMs, NodeId target, String why) {
    log.warn("member {}: goes on leading, member {} does not: {}", self, target, why);
    next.transferGivenUp(nowMs, target, why);
  }

  @Override
  public void readWaits(long nowMs, long id, String why) {
    next.readWaits(nowMs, id, why);
  }

  @Override
  public void readSafe(long nowMs, long id, long index) {
    next.readSafe(nowMs, id, index);
  }

  @Override
  public void readFailed(long nowMs, long id) {
    next.readFailed(nowMs, id);
  }

  private void publish(Leadership present) {
    board.leadership(present);
    metrics.role(present.role().name(), present.term(), !present.leader().isNone());
    changed = true;
  }

  /** A member that is cut off asks again and again, and its terms stay what they are. */
  private static Level level(boolean preVote) {
    return preVote ? Level.DEBUG : Level.INFO;
  }

  private static String kind(boolean preVote) {
    return preVote ? "pre-vote" : "election";
  }
}

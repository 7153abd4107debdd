// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static dev.coordinator.server.raft.RaftInvariantViolation.invariant;

import dev.coordinator.server.raft.RaftMessage.AppendEntries;
import dev.coordinator.server.raft.RaftMessage.AppendEntriesReply;
import dev.coordinator.server.raft.RaftMessage.InstallSnapshot;
import dev.coordinator.server.raft.RaftMessage.InstallSnapshotReply;
import java.util.List;

/** How a member takes entries (§3.5) and snapshots (§5.1) from a leader. */
final class Following {

  private final Member member;
  private final Roles roles;
  private final RaftLog log;

  Following(Member member, Roles roles) {
    this.member = member;
    this.roles = roles;
    log = member.log;
  }

  void receive(AppendEntries request) {
    if (request.term() < roles.term()) {
      // The newer term makes a deposed leader step down, also one that nobody votes against any
      // more.
      refuse(request, 0, log.last() + 1);
      return;
    }
    if (!follow(request, request.clusterTimeMs())) {
      return;
    }
    take(request);
    if (roles.role() instanceof Follower follower) {
      follower.learnt(request.leaderCommit(), log.committed());
    }
  }

  private void take(AppendEntries request) {
    long prev = request.prevLogIndex();
    if (prev < log.base().index()) {
      // Everything up to the base is committed, so every leader has it too.
      accept(request);
    } else if (prev > log.last()) {
      refuse(request, 0, log.last() + 1);
    } else if (log.termAt(prev) != request.prevLogTerm()) {
      invariant(
          prev > log.committed(),
          "the leader of term %d denies the committed entry at %d",
          request.term(),
          prev);
      long conflictTerm = log.termAt(prev);
      refuse(request, conflictTerm, log.firstIndexSinceTerm(conflictTerm));
    } else {
      accept(request);
    }
  }

  /** Follows the sender, unless another member leads in its term, which cannot be. */
  private boolean follow(RaftMessage request, long leaderTimeMs) {
    if (isSecondLeader(request)) {
      member.trace.ignored(member.nowMs(), request, "another member leads in this term");
      return false;
    }
    if (request.term() == roles.term()
        && roles.role() instanceof Follower follower
        && follower.leader().equals(request.from())) {
      follower.heard(member.nowMs(), member.drawElectionAtMs());
    } else {
      roles.becomeFollower(request.term(), request.from(), "heard the leader");
    }
    member.clock.heard(request.term(), leaderTimeMs);
    return true;
  }

  private boolean isSecondLeader(RaftMessage request) {
    if (request.term() > roles.term()) {
      return false;
    }
    return roles.role() instanceof Leader
        || roles.role() instanceof Follower follower && follower.followsOtherThan(request.from());
  }

  private void accept(AppendEntries request) {
    boolean appended = append(request.entries());
    long sent = request.prevLogIndex() + request.entries().size();
    long verified = Math.max(sent, log.snapshotIndex());
    // Entries after the verified ones may be of another leader and wait to be replaced (§3.5).
    long committed = Math.min(request.leaderCommit(), verified);
    if (committed > log.committed()) {
      log.commitTo(committed);
      member.trace.committed(member.nowMs(), committed);
    }
    agree(request, verified, appended);
  }

  /** Adds what is missing, and replaces from the first entry on that conflicts. */
  private boolean append(List<Entry> entries) {
    int known = 0;
    while (known < entries.size()) {
      Entry entry = entries.get(known);
      if (entry.index() > log.last()) {
        break;
      }
      if (entry.index() >= log.base().index() && log.termAt(entry.index()) != entry.term()) {
        log.truncate(entry.index());
        member.effects.withdrawAppendReplies();
        member.trace.truncated(member.nowMs(), entry.index());
        break;
      }
      known++;
    }
    for (Entry entry : entries.subList(known, entries.size())) {
      log.append(entry);
    }
    member.clock.seen(log.lastStampMs());
    return known < entries.size();
  }

  /**
   * Confirms what is durable. A heartbeat is answered at once with what is durable already: a
   * follower with a slow disk is alive, and its leader must not lose its majority over it.
   */
  private void agree(AppendEntries request, long verified, boolean appended) {
    boolean mustWait = appended || !request.entries().isEmpty() && verified > log.durable();
    long match = mustWait ? verified : Math.min(verified, log.durable());
    AppendEntriesReply reply =
        new AppendEntriesReply(
            member.self, request.from(), roles.term(), true, match, 0, 0, 0, request.round());
    if (mustWait) {
      member.effects.sendAfterPersist(reply);
    } else {
      member.effects.sendOnceHardStateIsDurable(reply);
    }
  }

  void receive(InstallSnapshot chunk) {
    if (chunk.term() < roles.term()) {
      answer(chunk, 0, false);
    } else if (follow(chunk, chunk.clusterTimeMs())) {
      if (roles.role() instanceof Follower follower) {
        follower.gotPart();
      }
      if (chunk.snapshot().index() <= log.committed()) {
        notNeeded(chunk);
      } else {
        member.effects.storeChunk(chunk);
      }
    }
  }

  /** A part of a snapshot is stored: the leader may send the next one. */
  void stored(InstallSnapshot chunk, long nextOffset) {
    if (!isFromLeader(chunk)) {
      return;
    }
    if (chunk.snapshot().index() <= log.committed()) {
      notNeeded(chunk);
    } else if (nextOffset < chunk.totalBytes()) {
      member.trace.chunkStored(member.nowMs(), chunk, nextOffset);
      answer(chunk, nextOffset, false);
    }
  }

  /**
   * A whole snapshot is durable. One that is not ahead of what is committed changes nothing, least
   * of all the log: it came late. Nor does a leader need one, as it has every committed entry
   * itself.
   */
  void received(InstallSnapshot last) {
    SnapshotMeta snapshot = last.snapshot();
    if (roles.role() instanceof Leader || snapshot.index() <= log.committed()) {
      member.trace.snapshotNotNeeded(member.nowMs(), snapshot);
    } else {
      install(snapshot);
    }
    if (isFromLeader(last)) {
      answerInstalled(last);
    }
  }

  private void install(SnapshotMeta snapshot) {
    boolean logDiscarded = log.install(snapshot);
    if (logDiscarded) {
      member.effects.withdrawAppendReplies();
    }
    if (!(roles.role() instanceof Follower)) {
      // It stood with an older log, by whose configuration it may have been a voter.
      roles.becomeFollower(roles.term(), NodeId.NONE, "a snapshot took the place of its log");
    }
    member.clock.seen(log.lastStampMs());
    member.effects.install(snapshot);
    member.trace.snapshotInstalled(member.nowMs(), snapshot, logDiscarded);
    member.compact();
  }

  /** What is stored was sent by the leader that this member still follows. */
  private boolean isFromLeader(InstallSnapshot chunk) {
    return chunk.term() == roles.term()
        && roles.role() instanceof Follower
        && !isSecondLeader(chunk);
  }

  private void notNeeded(InstallSnapshot chunk) {
    member.trace.snapshotNotNeeded(member.nowMs(), chunk.snapshot());
    answerInstalled(chunk);
  }

  /** All that is in the snapshot is in the log, which may still be on its way to the disk. */
  private void answerInstalled(InstallSnapshot chunk) {
    answer(chunk, chunk.totalBytes(), true);
  }

  private void answer(InstallSnapshot chunk, long nextOffset, boolean installed) {
    InstallSnapshotReply reply =
        new InstallSnapshotReply(
            member.self,
            chunk.from(),
            roles.term(),
            chunk.snapshot().index(),
            nextOffset,
            installed,
            chunk.round());
    if (installed) {
      member.effects.sendAfterPersist(reply);
    } else {
      member.effects.sendOnceHardStateIsDurable(reply);
    }
  }

  private void refuse(AppendEntries request, long conflictTerm, long conflictIndex) {
    AppendEntriesReply reply =
        new AppendEntriesReply(
            member.self,
            request.from(),
            roles.term(),
            false,
            0,
            request.prevLogIndex(),
            conflictTerm,
            conflictIndex,
            request.round());
    member.trace.appendRejected(member.nowMs(), reply);
    member.effects.sendOnceHardStateIsDurable(reply);
  }
}

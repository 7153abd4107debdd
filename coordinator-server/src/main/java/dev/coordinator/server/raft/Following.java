// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static dev.coordinator.server.raft.RaftInvariantViolation.invariant;

import dev.coordinator.server.raft.RaftMessage.AppendEntries;
import dev.coordinator.server.raft.RaftMessage.AppendEntriesReply;
import java.util.List;

/** How a member takes entries from a leader (§3.5). */
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
    if (isSecondLeader(request)) {
      member.trace.ignored(member.nowMs(), request, "another member leads in this term");
      return;
    }
    follow(request);
    member.clock.heard(request.term(), request.clusterTimeMs());
    long prev = request.prevLogIndex();
    if (prev > log.last()) {
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

  private boolean isSecondLeader(AppendEntries request) {
    if (request.term() > roles.term()) {
      return false;
    }
    return roles.role() instanceof Leader
        || roles.role() instanceof Follower follower && follower.followsOtherThan(request.from());
  }

  private void follow(AppendEntries request) {
    if (request.term() == roles.term()
        && roles.role() instanceof Follower follower
        && follower.leader().equals(request.from())) {
      follower.heard(member.nowMs(), member.drawElectionAtMs());
    } else {
      roles.becomeFollower(request.term(), request.from(), "heard the leader");
    }
  }

  private void accept(AppendEntries request) {
    boolean appended = append(request.entries());
    long verified = request.prevLogIndex() + request.entries().size();
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
      if (log.termAt(entry.index()) != entry.term()) {
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

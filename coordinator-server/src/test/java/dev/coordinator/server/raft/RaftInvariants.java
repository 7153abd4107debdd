// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static dev.coordinator.server.raft.RaftInvariantViolation.invariant;

import java.util.List;

/**
 * What must hold for one member after every event: within its state, and between its state and the
 * one that was checked before. A member that restarts gets a fresh object.
 */
public final class RaftInvariants {

  private RaftStatus before;
  private NodeId votedBefore;
  private long clockBefore;
  private long durableTermBefore;

  /** Whether a member has this entry, in its log or in its snapshot. */
  public static boolean holds(RaftCore core, LogPosition position) {
    RaftLog log = core.member().log;
    return position.index() <= log.snapshotIndex() || log.holds(position);
  }

  /** Checks the state of {@code core}, and remembers it for the next check. */
  public void check(RaftCore core) {
    check(core, core.status());
  }

  /**
   * As above.
   *
   * @param now the status of this core at this moment
   */
  public void check(RaftCore core, RaftStatus now) {
    RaftLog log = core.member().log;
    checkCursors(now, log);
    checkProgress(now);
    checkMembership(core, now);
    if (before != null) {
      checkChange(core, now);
    }
    before = now;
    votedBefore = core.member().effects.hardState().votedFor();
    clockBefore = core.clusterTimeMs(core.member().nowMs());
    durableTermBefore = now.durable() < now.base() ? 0 : log.termAt(now.durable());
  }

  private void checkCursors(RaftStatus now, RaftLog log) {
    invariant(now.base() <= now.snapshot(), "base %d, snapshot %d", now.base(), now.snapshot());
    invariant(
        now.snapshot() <= now.applied(), "snapshot %d, applied %d", now.snapshot(), now.applied());
    invariant(
        log.snapshot() == null || log.holds(log.snapshot().last()),
        "the log does not hold the end of %s",
        log.snapshot());
    invariant(
        now.applied() <= now.committed(),
        "applied %d, committed %d",
        now.applied(),
        now.committed());
    invariant(now.committed() <= now.last(), "committed %d, last %d", now.committed(), now.last());
    invariant(now.durable() <= now.last(), "durable %d, last %d", now.durable(), now.last());
    invariant(log.lastTerm() <= now.term(), "last term %d in term %d", log.lastTerm(), now.term());
    if (now.last() > now.base() + 1) {
      Entry last = log.entry(now.last());
      Entry previous = log.entry(now.last() - 1);
      invariant(
          last.clusterTimeMs() >= previous.clusterTimeMs(),
          "the stamp falls to %d from %d",
          last.clusterTimeMs(),
          previous.clusterTimeMs());
    }
  }

  /** Only voters lead, or those that were until their going is committed (§4.2.2). */
  private void checkMembership(RaftCore core, RaftStatus now) {
    Configurations configurations = core.member().log.configurations();
    NodeId self = core.member().self;
    boolean mayStand =
        configurations.present().isVoter(self)
            || configurations.previous().membership().isVoter(self);
    boolean stands = now.role() == RoleKind.CANDIDATE || now.role() == RoleKind.PRE_CANDIDATE;
    invariant(mayStand || !stands, "%s stands, but is no voter of %s", self, now.membership());
    invariant(
        configurations.presentIndex() <= now.last(),
        "goes by entry %d, the last is %d",
        configurations.presentIndex(),
        now.last());
    if (now.role() == RoleKind.LEADER) {
      checkReplicatesToAll(self, now);
      checkOneChange(core, now);
    }
  }

  /** Members and followers both come in the order of their ids. */
  private static void checkReplicatesToAll(NodeId self, RaftStatus now) {
    List<RaftStatus.FollowerStatus> followers = now.followers();
    int next = 0;
    for (MemberInfo info : now.membership().members()) {
      if (info.id().equals(self)) {
        continue;
      }
      while (next < followers.size() && !followers.get(next).member().equals(info.id())) {
        next++;
      }
      invariant(next < followers.size(), "the leader does not replicate to %s", info.id());
      next++;
    }
  }

  /** A leader changes a configuration only when it is committed (§4.1). */
  private static void checkOneChange(RaftCore core, RaftStatus now) {
    RaftLog log = core.member().log;
    Configurations configurations = log.configurations();
    long index = configurations.presentIndex();
    boolean own = index > now.base() && log.termAt(index) == now.term();
    long previous = configurations.previous().index();
    invariant(
        !own || previous <= now.committed(),
        "the leader changes the configuration of entry %d, but has committed up to %d",
        previous,
        now.committed());
  }

  private void checkProgress(RaftStatus now) {
    for (RaftStatus.FollowerStatus follower : now.followers()) {
      invariant(follower.match() <= now.last(), "match %d, last %d", follower.match(), now.last());
    }
    invariant(
        now.role() != RoleKind.LEADER || now.committed() == 0 || now.last() >= now.committed(),
        "a leader without what is committed up to %d",
        now.committed());
  }

  private void checkChange(RaftCore core, RaftStatus now) {
    invariant(now.term() >= before.term(), "term fell to %d from %d", now.term(), before.term());
    invariant(
        now.committed() >= before.committed(),
        "committed fell to %d from %d",
        now.committed(),
        before.committed());
    invariant(now.base() >= before.base(), "base fell to %d from %d", now.base(), before.base());
    invariant(
        now.snapshot() >= before.snapshot(),
        "snapshot fell to %d from %d",
        now.snapshot(),
        before.snapshot());
    invariant(
        now.applied() >= before.applied(),
        "applied fell to %d from %d",
        now.applied(),
        before.applied());
    if (now.term() == before.term()) {
      checkWithinTerm(core, now);
    }
  }

  private void checkWithinTerm(RaftCore core, RaftStatus now) {
    NodeId voted = core.member().effects.hardState().votedFor();
    invariant(
        votedBefore.isNone() || votedBefore.equals(voted),
        "in term %d the vote moved from %s to %s",
        now.term(),
        votedBefore,
        voted);
    invariant(
        before.leader().isNone() || now.leader().isNone() || before.leader().equals(now.leader()),
        "in term %d the leader changed from %s to %s",
        now.term(),
        before.leader(),
        now.leader());
    if (before.role() == RoleKind.LEADER && now.role() == RoleKind.LEADER) {
      long clock = core.clusterTimeMs(core.member().nowMs());
      invariant(clock >= clockBefore, "cluster time fell to %d from %d", clock, clockBefore);
      // Entries of earlier terms never count by themselves (§3.6.2, Figure 3.7).
      long committedTerm = core.member().log.termAt(now.committed());
      invariant(
          now.committed() == before.committed() || committedTerm == now.term(),
          "the leader of term %d commits up to %d, an entry of term %d",
          now.term(),
          now.committed(),
          committedTerm);
      // A leader never drops or replaces entries (§3.6, Leader Append-Only).
      invariant(
          now.last() >= before.last(),
          "the leader's log shrank to %d from %d",
          now.last(),
          before.last());
      invariant(
          now.durable() >= before.durable(),
          "the leader's durable log shrank to %d from %d",
          now.durable(),
          before.durable());
      if (durableTermBefore != 0 && before.durable() >= now.base()) {
        long term = core.member().log.termAt(before.durable());
        invariant(
            term == durableTermBefore,
            "a leader replaced an entry of term %d by %d",
            durableTermBefore,
            term);
      }
    }
  }
}

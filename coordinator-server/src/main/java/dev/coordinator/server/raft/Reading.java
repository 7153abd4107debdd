// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import dev.coordinator.server.raft.RaftMessage.ReadIndex;
import dev.coordinator.server.raft.RaftMessage.ReadIndexReply;
import java.util.List;

/**
 * How reads become safe (§6.4). A leader lets a majority confirm that it still leads; a follower
 * asks its leader to do so, and then answers from its own state.
 *
 * <p>A read is safe only when an entry of the leader's own term is committed, since it does not
 * know before which entries are, and a majority has confirmed its leadership after the read came.
 */
final class Reading {

  private static final long MAX_FIRST_REQUEST = 1L << 62;

  private final Member member;
  private final Roles roles;

  /** Numbers of requests begin at a random one, so that none comes again after a restart. */
  private long lastRequest;

  Reading(Member member, Roles roles) {
    this.member = member;
    this.roles = roles;
  }

  /** Asks for a read of this member. */
  void read(long id) {
    if (roles.role() instanceof Leader leader) {
      add(leader, new ReadQueue.Read(member.self, id, member.nowMs()));
    } else if (roles.role() instanceof Follower follower && !follower.leader().isNone()) {
      follower.reads().add(id, member.nowMs() + member.config.electionTimeoutMs());
      member.trace.readWaits(member.nowMs(), id, "the leader must say from where on it is safe");
    } else {
      member.readFailed(id);
    }
  }

  private void add(Leader leader, ReadQueue.Read read) {
    leader.reads().add(read);
    if (read.asker().equals(member.self)) {
      String why =
          member.log.committed() < leader.firstIndex()
              ? "no entry of its term is committed yet"
              : "a majority must confirm its leadership";
      member.trace.readWaits(member.nowMs(), read.id(), why);
    }
  }

  /** Begins a round for the reads that wait, and ends those that a majority has answered. */
  void flush(Leader leader) {
    if (leader.reads().isWaiting() && member.log.committed() >= leader.firstIndex()) {
      leader.beginRound();
      leader.reads().begin(leader.round(), member.log.committed());
    }
    // Also without an answer: a leader that is alone by now needs none.
    confirm(leader);
  }

  /** A follower may have confirmed a round. */
  void confirm(Leader leader) {
    if (leader.reads().isConfirming()) {
      leader.reads().confirm(leader.confirmedRound(member.membership()), this::confirmed);
    }
  }

  private void confirmed(ReadQueue.Read read, long index) {
    if (read.asker().equals(member.self)) {
      member.readSafe(read.id(), index);
    } else {
      member.answer(roles.term(), read, true, index);
    }
  }

  /**
   * Forgets what followers have given up by now. As long as nothing of its term is committed, they
   * may ask again and again.
   */
  void forgetOld(Leader leader) {
    leader.reads().forgetForwarded(member.self, member.electionTimeoutAgoMs());
  }

  /**
   * Asks the leader for the reads that wait, but not in a term that the disk does not have yet: a
   * disk that hangs would have it ask for all of them in the end.
   */
  void flush(Follower follower) {
    if (follower.reads().isWaiting() && member.effects.isHardStateDurable()) {
      if (lastRequest == 0) {
        lastRequest = member.random.nextLong(MAX_FIRST_REQUEST);
      }
      lastRequest++;
      long deadlineMs = member.nowMs() + member.config.electionTimeoutMs();
      follower.reads().asked(lastRequest, deadlineMs);
      member.effects.send(new ReadIndex(member.self, follower.leader(), roles.term(), lastRequest));
    }
  }

  /** Gives up what the leader has not answered, or could not be asked, in time. */
  void tick(Follower follower) {
    if (follower.reads().deadlineMs() <= member.nowMs()) {
      failAll(follower.reads().takeLost(member.nowMs()));
    }
  }

  /** A follower asks. */
  void receive(ReadIndex request) {
    if (request.term() > roles.term()) {
      roles.becomeFollower(request.term(), NodeId.NONE, "a follower is in a newer term");
    }
    ReadQueue.Read read = new ReadQueue.Read(request.from(), request.request(), member.nowMs());
    if (request.term() == roles.term() && roles.role() instanceof Leader leader) {
      add(leader, read);
    } else {
      member.answer(roles.term(), read, false, 0);
    }
  }

  /**
   * The leader answers. Whoever it was, it led after the request was sent, and so after the reads
   * came: an answer is good in any later term too.
   */
  void receive(ReadIndexReply reply) {
    if (roles.role() instanceof Follower follower) {
      List<Long> ids = follower.reads().take(reply.request());
      if (reply.confirmed()) {
        for (long id : ids) {
          member.readSafe(id, reply.index());
        }
      } else {
        failAll(ids);
      }
    }
    if (reply.term() > roles.term()) {
      roles.becomeFollower(reply.term(), NodeId.NONE, "the leader asked is in a newer term");
    }
  }

  private void failAll(List<Long> ids) {
    for (long id : ids) {
      member.readFailed(id);
    }
  }
}

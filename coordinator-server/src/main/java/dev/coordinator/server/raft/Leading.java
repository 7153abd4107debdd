// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import dev.coordinator.server.raft.RaftMessage.AppendEntries;
import dev.coordinator.server.raft.RaftMessage.AppendEntriesReply;
import dev.coordinator.server.raft.RaftMessage.InstallSnapshotReply;
import java.util.ArrayList;
import java.util.List;

/**
 * What a leader does: replicate (§3.5), also by snapshots (§5.1), commit (§3.6.2), see that it
 * still leads (§6.2).
 *
 * <p>Messages are built in {@link #flush}, so that everything proposed between two calls travels
 * together. They leave while the leader's own disk still writes (§10.2.1).
 */
final class Leading {

  private static final long HANGING_DISK_ELECTION_TIMEOUTS = 10;

  private final Member member;
  private final Roles roles;
  private final Reading reading;
  private final RaftLog log;

  /** The batch that was cut last during a flush; followers that keep up get the same one. */
  private List<Entry> slice = List.of();

  Leading(Member member, Roles roles, Reading reading) {
    this.member = member;
    this.roles = roles;
    this.reading = reading;
    log = member.log;
  }

  void tick(Leader leader) {
    long nowMs = member.nowMs();
    if (nowMs >= leader.stepDownAtMs()) {
      checkQuorum(leader);
      if (roles.role() != leader) {
        return;
      }
    }
    if (nowMs >= leader.heartbeatAtMs()) {
      leader.oweHeartbeat(nowMs + member.config.heartbeatIntervalMs());
      reading.forgetOld(leader);
      repeatWhatWasLost(leader);
      if (hangsAtItsDisk(leader)) {
        roles.becomeFollower(roles.term(), NodeId.NONE, "its disk does not finish a write");
        return;
      }
    }
    if (nowMs >= leader.noticeAtMs()) {
      leader.oweNotice();
    }
  }

  /**
   * Steps down if no majority was heard for an election timeout, so that clients look elsewhere
   * (§6.2).
   */
  private void checkQuorum(Leader leader) {
    long heardMs = leader.quorumHeardMs(member.membership(), member.nowMs());
    long deadlineMs = heardMs + member.config.electionTimeoutMs();
    if (member.nowMs() >= deadlineMs) {
      roles.becomeFollower(roles.term(), NodeId.NONE, "heard no majority since " + heardMs + " ms");
    } else {
      leader.stepDownAt(deadlineMs);
    }
  }

  /**
   * Whether its own disk has not got on for so long that others had better lead. It could go on
   * with the disks of a majority, but would have to keep all that its own disk lacks in memory.
   */
  private boolean hangsAtItsDisk(Leader leader) {
    leader.noteDisk(log.durable(), log.durable() == log.last(), member.nowMs());
    return member.nowMs() - leader.diskAliveMs()
        >= HANGING_DISK_ELECTION_TIMEOUTS * member.config.electionTimeoutMs();
  }

  /**
   * What was sent to a follower that answers nothing has likely been lost. A snapshot waits until
   * the follower is heard again.
   */
  private void repeatWhatWasLost(Leader leader) {
    for (Progress follower : leader.followers()) {
      long silentMs = member.nowMs() - follower.lastHeardMs();
      boolean silent = silentMs >= member.config.electionTimeoutMs();
      if (follower.isReplicating() && silent) {
        probeBehindMatch(follower);
      } else if (!silent) {
        follower.repeatChunk(member.nowMs(), member.config.chunkResendMs());
      }
    }
  }

  /** Appends a configuration, which counts from here on (§4.1). */
  long append(Membership membership) {
    long index = log.last() + 1;
    log.append(
        Entry.configuration(index, roles.term(), member.clock.at(member.nowMs()), membership));
    return index;
  }

  /**
   * Takes leave of members that the committed configuration does not have, with a last message that
   * tells them so. It may be lost: they then learn it from nobody, and nobody listens to them.
   */
  void leaveBehind(Leader leader, Membership present) {
    int others = present.members().size() - (present.contains(member.self) ? 1 : 0);
    if (leader.followers().size() == others) {
      return;
    }
    List<Progress> leaving = new ArrayList<>();
    for (Progress follower : leader.followers()) {
      if (!present.contains(follower.member())) {
        leaving.add(follower);
      }
    }
    for (Progress follower : leaving) {
      if (follower.isReplicating() && follower.next() > log.base().index()) {
        sendEntries(leader, follower);
        send(leader, follower, List.of());
      }
      leader.unfollow(follower.member());
    }
    slice = List.of();
  }

  long propose(byte[] payload) {
    long index = log.last() + 1;
    log.append(Entry.command(index, roles.term(), member.clock.at(member.nowMs()), payload));
    return index;
  }

  /** The way to a follower broke: what is on it is lost. */
  void disconnected(Leader leader, NodeId peer) {
    Progress follower = leader.progress(peer);
    if (follower == null) {
      return;
    }
    if (follower.snapshot() == null) {
      probeBehindMatch(follower);
    } else {
      follower.repeatChunkSoon();
    }
  }

  /**
   * Tries behind what the follower has confirmed, or with the first entry that is left: it may have
   * more than it could confirm, and gets a snapshot only if it says that it has not.
   */
  private void probeBehindMatch(Progress follower) {
    follower.probe(Math.max(follower.match(), log.base().index()) + 1);
  }

  void receive(AppendEntriesReply reply) {
    if (reply.term() > roles.term()) {
      roles.becomeFollower(reply.term(), NodeId.NONE, "a follower is in a newer term");
      return;
    }
    if (reply.term() < roles.term() || !(roles.role() instanceof Leader leader)) {
      return;
    }
    if (reply.matchIndex() > log.last() || reply.round() > leader.round()) {
      member.trace.ignored(member.nowMs(), reply, "it answers what was never sent");
      return;
    }
    Progress follower = leader.progress(reply.from());
    if (follower == null) {
      return;
    }
    follower.heard(member.nowMs(), reply.round());
    if (reply.success()) {
      follower.matches(reply.matchIndex());
      // One that gets a snapshot agrees with every heartbeat, which says nothing of the entries
      // that it lacks.
      if (follower.snapshot() == null || follower.match() >= log.base().index()) {
        follower.replicate();
      }
      matched(leader, follower);
    } else if (follower.isNews(reply.rejectedIndex())) {
      member.trace.appendRejected(member.nowMs(), reply);
      long next = nextAfter(reply);
      if (next > log.base().index()) {
        follower.probe(next);
      } else {
        sendSnapshot(follower);
      }
    }
    reading.confirm(leader);
  }

  private void matched(Leader leader, Progress follower) {
    advanceCommitted(leader);
    if (follower.toldCommitted() < Math.min(log.committed(), follower.match())) {
      leader.noticeBy(member.nowMs() + noticeDelayMs());
    }
  }

  void receive(InstallSnapshotReply reply) {
    if (reply.term() > roles.term()) {
      roles.becomeFollower(reply.term(), NodeId.NONE, "a follower is in a newer term");
      return;
    }
    if (reply.term() < roles.term() || !(roles.role() instanceof Leader leader)) {
      return;
    }
    if (reply.snapshotIndex() > log.committed() || reply.round() > leader.round()) {
      member.trace.ignored(member.nowMs(), reply, "it answers what was never sent");
      return;
    }
    Progress follower = leader.progress(reply.from());
    if (follower == null) {
      return;
    }
    follower.heard(member.nowMs(), reply.round());
    SnapshotMeta sent = follower.snapshot();
    if (reply.installed()) {
      follower.matches(reply.snapshotIndex());
      follower.replicate();
      matched(leader, follower);
    } else if (sent != null && sent.index() == reply.snapshotIndex()) {
      follower.storedUpTo(reply.nextOffset());
    }
    reading.confirm(leader);
  }

  /** A snapshot cannot be read any more: the newest one goes in its place. */
  void snapshotGone(Leader leader, Outbox.ChunkRequest request) {
    Progress follower = leader.progress(request.to());
    boolean isSent = follower != null && request.snapshot().equals(follower.snapshot());
    // If the newer one is not known yet, the part is asked for again after a while.
    if (isSent && !request.snapshot().equals(log.snapshot())) {
      sendSnapshot(follower);
    }
  }

  /**
   * Drops entries that the newest snapshot has, unless a follower that catches up needs them: if
   * those behind the snapshot that it is sent were gone when it has arrived, it would need the next
   * one, and so on without end.
   */
  void compact(Leader leader) {
    long compactableTo = member.compactableTo();
    long end = compactableTo;
    for (Progress follower : leader.followers()) {
      boolean heard = follower.lastHeardMs() > member.electionTimeoutAgoMs();
      if (follower.lacksEntriesUpTo(compactableTo, member.config.catchUpSnapshots()) && heard) {
        end = Math.min(end, follower.hasOrGets());
      }
    }
    member.compactTo(end);
  }

  private void sendSnapshot(Progress follower) {
    follower.install(log.snapshot());
    member.trace.snapshotSent(member.nowMs(), follower.member(), log.snapshot());
  }

  /**
   * Where to try again after a refusal (§3.5): behind its last entry of the conflicting term if it
   * has one, else where the follower's entries of that term begin, or its log ends.
   */
  private long nextAfter(AppendEntriesReply reply) {
    long next = reply.conflictIndex();
    if (reply.conflictTerm() > 0) {
      long end = log.firstIndexSinceTerm(reply.conflictTerm() + 1);
      if (log.termAt(end - 1) == reply.conflictTerm()) {
        next = end;
      }
    }
    return Math.max(1, Math.min(next, reply.rejectedIndex()));
  }

  /**
   * Moves {@code committed} to the last index that a majority holds durably, if it is of this term.
   *
   * <p>Entries of earlier terms are never counted: a later leader could still replace them (§3.6.2,
   * Figure 3.7). They commit together with the first entry of this term.
   */
  void advanceCommitted(Leader leader) {
    long index = leader.quorumMatch(member.membership(), log.durable());
    if (index <= log.committed() || index < leader.firstIndex()) {
      return;
    }
    log.commitTo(index);
    member.trace.committed(member.nowMs(), index);
    if (!leader.followers().isEmpty()) {
      leader.noticeBy(member.nowMs() + noticeDelayMs());
    }
  }

  /**
   * How long a commit waits for entries to travel with before a message of its own tells the
   * followers, which serve watches: under load there is no extra message, and when idle they need
   * not wait for a heartbeat.
   */
  private long noticeDelayMs() {
    return Math.max(1, member.config.heartbeatIntervalMs() / 20);
  }

  /** Builds the messages that are due. */
  void flush(Leader leader) {
    reading.flush(leader);
    for (Progress follower : leader.followers()) {
      if (follower.snapshot() == null && follower.next() <= log.base().index()) {
        probeBehindMatch(follower);
      }
      askChunk(leader, follower);
      // A heartbeat carries no entries, so that its answer does not wait for the follower's disk.
      if (leader.owesHeartbeat()) {
        send(leader, follower, List.of());
      }
      sendEntries(leader, follower);
      if (leader.owesNotice()
          && follower.isReplicating()
          && follower.toldCommitted() < log.committed()) {
        send(leader, follower, List.of());
      }
    }
    leader.paid();
    slice = List.of();
  }

  private void sendEntries(Leader leader, Progress follower) {
    RaftConfig config = member.config;
    while (follower.next() <= log.last() && follower.hasRoom(config.maxInFlightBatches())) {
      if (slice.isEmpty() || slice.get(0).index() != follower.next()) {
        slice = log.slice(follower.next(), config.maxBatchEntries(), config.maxBatchBytes());
      }
      send(leader, follower, slice);
      follower.sent(follower.next() + slice.size() - 1);
    }
  }

  private void askChunk(Leader leader, Progress follower) {
    if (follower.owesChunk()) {
      member.effects.readChunk(
          new Outbox.ChunkRequest(
              follower.member(),
              roles.term(),
              follower.snapshot(),
              follower.askChunk(member.nowMs()),
              leader.round(),
              member.clock.at(member.nowMs())));
    }
  }

  private void send(Leader leader, Progress follower, List<Entry> entries) {
    // A heartbeat while a snapshot is sent: its place is one where all logs agree, as a refusal
    // would say what is known already.
    long prev = follower.snapshot() == null ? follower.next() - 1 : 0;
    member.effects.send(
        new AppendEntries(
            member.self,
            follower.member(),
            roles.term(),
            prev,
            prev == 0 ? 0 : log.termAt(prev),
            entries,
            log.committed(),
            leader.round(),
            member.clock.at(member.nowMs())));
    follower.told(Math.min(log.committed(), prev + entries.size()));
  }
}

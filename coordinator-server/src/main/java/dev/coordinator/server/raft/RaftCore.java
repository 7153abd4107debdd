// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static dev.coordinator.server.raft.RaftInvariantViolation.invariant;

import dev.coordinator.server.raft.RaftMessage.AppendEntries;
import dev.coordinator.server.raft.RaftMessage.AppendEntriesReply;
import dev.coordinator.server.raft.RaftMessage.InstallSnapshot;
import dev.coordinator.server.raft.RaftMessage.InstallSnapshotReply;
import dev.coordinator.server.raft.RaftMessage.ReadIndex;
import dev.coordinator.server.raft.RaftMessage.ReadIndexReply;
import dev.coordinator.server.raft.RaftMessage.RequestVote;
import dev.coordinator.server.raft.RaftMessage.RequestVoteReply;
import dev.coordinator.server.raft.RaftMessage.TimeoutNow;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * The Raft protocol of one cluster member, as an object without threads, clocks or I/O.
 *
 * <p>Inputs are method calls that carry the current time; outputs gather until {@link #drainTo}
 * hands them to the caller. The same inputs always give the same outputs, so a run can be recorded,
 * replayed and simulated. Section numbers (§) refer to Ongaro's dissertation.
 *
 * <p>Callers keep three promises:
 *
 * <ol>
 *   <li>one thread calls this object;
 *   <li>write batches become durable in the order they were drained, and each is reported once to
 *       {@link #persisted};
 *   <li>{@link Outbox#messagesAfterPersist} leave this member only after that report.
 * </ol>
 *
 * <p>Invariant: {@code applied <= committed <= last} and {@code durable <= last}. {@code committed}
 * may pass {@code durable}: a quorum does not have to include this member. A broken invariant
 * throws {@link RaftInvariantViolation}, after which the member must stop.
 */
public final class RaftCore {

  private final Member member;
  private final Roles roles;
  private final Elections elections;
  private final Following following;
  private final Leading leading;
  private final Reading reading;
  private final Transferring transferring;
  private final Reconfiguring reconfiguring;
  private final MessageCheck check;

  /**
   * Restores a member from what its log held.
   *
   * @param random draws election timeouts and jitter
   */
  public RaftCore(
      RaftConfig config,
      NodeId self,
      RestoredState restored,
      RandomGenerator random,
      RaftTrace trace,
      long nowMs) {
    Membership bootstrap = restored.bootstrap();
    if (!bootstrap.isEmpty() && !bootstrap.contains(self)) {
      throw new IllegalArgumentException("member " + self + " is none of " + bootstrap);
    }
    RaftLog log = new RaftLog(restored);
    Effects effects = new Effects(restored.hardState());
    adoptTermOf(restored.snapshot(), effects);
    invariant(
        log.lastTerm() <= effects.hardState().term(),
        "the log ends in term %d, the member knows only %d",
        log.lastTerm(),
        effects.hardState().term());
    member = new Member(config, self, restored.incarnation(), random, trace, log, effects);
    member.advanceTo(nowMs);
    roles = new Roles(member);
    elections = new Elections(member, roles);
    following = new Following(member, roles);
    reading = new Reading(member, roles);
    leading = new Leading(member, roles, reading);
    transferring = new Transferring(member, roles);
    reconfiguring = new Reconfiguring(member, roles, leading, transferring);
    check = new MessageCheck(member, roles);
    member.compact();
  }

  /**
   * A snapshot becomes durable on its own, and may be of a term that a crash kept from the disk. No
   * vote was given in that term: it would have become durable first.
   */
  private static void adoptTermOf(SnapshotMeta snapshot, Effects effects) {
    if (snapshot != null && snapshot.last().term() > effects.hardState().term()) {
      effects.change(new HardState(snapshot.last().term(), NodeId.NONE));
    }
  }

  /** The configuration that counts; another object whenever it has changed. */
  public Membership membership() {
    return member.membership();
  }

  /** What the messages of this member have to tell of it. */
  public Sender speaksAs() {
    return new Sender(member.incarnation, member.log.configurations().presentIndex());
  }

  /** Takes a message of a peer that tells nothing of itself but its id. */
  public void receive(RaftMessage message, long nowMs) {
    receive(Sender.UNKNOWN, message, nowMs);
  }

  /** Takes a message of a peer. Those of strangers or for others are ignored. */
  public void receive(Sender sender, RaftMessage message, long nowMs) {
    member.advanceTo(nowMs);
    String whyIgnore = check.whyIgnore(sender, message);
    if (whyIgnore != null) {
      member.trace.ignored(member.nowMs(), message, whyIgnore);
      return;
    }
    if (roles.role() instanceof Leader leader) {
      reconfiguring.heard(leader, message.from(), sender);
    }
    if (message instanceof AppendEntries request) {
      following.receive(request);
    } else if (message instanceof AppendEntriesReply reply) {
      leading.receive(reply);
    } else if (message instanceof RequestVote request) {
      elections.receive(request);
    } else if (message instanceof RequestVoteReply reply) {
      elections.receive(reply);
    } else if (message instanceof InstallSnapshot chunk) {
      following.receive(chunk);
    } else if (message instanceof InstallSnapshotReply reply) {
      leading.receive(reply);
    } else if (message instanceof ReadIndex request) {
      reading.receive(request);
    } else if (message instanceof ReadIndexReply reply) {
      reading.receive(reply);
    } else if (message instanceof TimeoutNow timeout) {
      elections.receive(timeout);
    }
    member.noteConfiguration();
  }

  public boolean isLeader() {
    return roles.role() instanceof Leader;
  }

  /**
   * Whether it leads, or learns from its leader what is committed. One that lost its data directory
   * may hear a leader, but learns no more of what happens.
   */
  public boolean isInTouch() {
    return isLeader()
        || roles.role() instanceof Follower follower
            && !follower.leader().isNone()
            && follower.keepsUp();
  }

  /**
   * Whether {@link #propose} may be asked: it leads, is not handing over, and the cluster has
   * begun. So whoever has a proposal in its log has the configuration too by which a majority is
   * enough.
   */
  public boolean acceptsProposals() {
    return roles.role() instanceof Leader leader
        && leader.transfer() == null
        && !member.membership().isFounding();
  }

  /**
   * Appends a command to the log. Only who {@link #acceptsProposals} may be asked.
   *
   * @return the index of its entry
   */
  public long propose(byte[] payload, long nowMs) {
    member.advanceTo(nowMs);
    if (!acceptsProposals()) {
      throw new IllegalStateException("member " + member.self + " does not accept proposals");
    }
    return leading.propose(payload);
  }

  /**
   * Asks for a linearizable read (§6.4); {@link Outbox#safeReads} or {@link Outbox#failedReads}
   * answers. A follower asks its leader; without one the read fails.
   */
  public void read(long id, long nowMs) {
    member.advanceTo(nowMs);
    reading.read(id);
  }

  /** Begins a change of the members (§4). It goes on by itself, also under a later leader. */
  public ChangeAnswer changeMembership(MembershipChange change, long nowMs) {
    member.advanceTo(nowMs);
    return roles.role() instanceof Leader leader
        ? reconfiguring.change(leader, change)
        : new ChangeAnswer(0, notLeader());
  }

  /**
   * Begins to hand over leadership (§3.10). Until that has happened, or was given up after an
   * election timeout, nothing can be proposed.
   *
   * @param target {@link NodeId#NONE} for the voter that has most of the log
   * @return why not, or null if it has begun
   */
  public Refusal transferLeadership(NodeId target, long nowMs) {
    member.advanceTo(nowMs);
    return roles.role() instanceof Leader leader ? transferring.begin(leader, target) : notLeader();
  }

  private Refusal notLeader() {
    return new Refusal(Refusal.Kind.NOT_LEADER, "member " + member.self + " does not lead");
  }

  /** Lets time pass: timeouts, heartbeats. Calling it early or often does no harm. */
  public void tick(long nowMs) {
    member.advanceTo(nowMs);
    if (roles.role() instanceof Leader leader) {
      leading.tick(leader);
    } else {
      if (roles.role() instanceof Follower follower) {
        reading.tick(follower);
      }
      elections.tick();
    }
  }

  /** Reports that the write batch of this number, and so every earlier one, is durable. */
  public void persisted(long batch, long nowMs) {
    member.advanceTo(nowMs);
    member.effects.persisted(batch);
    member.log.persisted(batch);
    elections.persisted();
    if (roles.role() instanceof Leader leader) {
      leading.advanceCommitted(leader);
    }
  }

  /** Reports that the state machine has applied everything up to {@code index}. */
  public void applied(long index) {
    member.log.appliedTo(index);
  }

  /**
   * Describes a snapshot of everything that is applied, which is the newest one if nothing was
   * applied since. Something must have been applied.
   */
  public SnapshotMeta snapshotMeta() {
    return member.log.snapshotOfApplied();
  }

  /** Reports that a snapshot of this member's own state is durable. */
  public void snapshotTaken(SnapshotMeta snapshot, long nowMs) {
    member.advanceTo(nowMs);
    // One that the leader sent meanwhile may have overtaken it.
    if (snapshot.index() > member.log.snapshotIndex()) {
      member.log.snapshotTaken(snapshot);
      member.trace.snapshotTaken(member.nowMs(), snapshot);
      if (roles.role() instanceof Leader leader) {
        leading.compact(leader);
      } else {
        member.compact();
      }
    }
  }

  /** Reports that a part of a snapshot could not be read, as a newer one has taken its place. */
  public void snapshotGone(Outbox.ChunkRequest request, long nowMs) {
    member.advanceTo(nowMs);
    if (roles.role() instanceof Leader leader && request.term() == roles.term()) {
      leading.snapshotGone(leader, request);
    }
  }

  /**
   * Reports that a part of a snapshot which the leader sent was stored, or did not fit.
   *
   * @param nextOffset how much of that snapshot is there by now
   */
  public void chunkStored(InstallSnapshot chunk, long nextOffset, long nowMs) {
    member.advanceTo(nowMs);
    following.stored(chunk, nextOffset);
  }

  /**
   * Reports that a snapshot which the leader sent is whole, checked and durable. If {@link
   * Outbox#installed} names it after this call, its state replaces that of the machine.
   *
   * @param last the part that completed it
   */
  public void snapshotReceived(InstallSnapshot last, long nowMs) {
    member.advanceTo(nowMs);
    following.received(last);
    member.noteConfiguration();
  }

  /**
   * Reports that the connection to a peer broke. If it is the leader, a pre-vote follows at once
   * instead of after a timeout; members that still hear the leader refuse it.
   */
  public void disconnected(NodeId peer, long nowMs) {
    member.advanceTo(nowMs);
    if (roles.role() instanceof Leader leader) {
      leading.disconnected(leader, peer);
    } else {
      elections.disconnected(peer);
    }
  }

  /** Moves the gathered effects into {@code outbox}, which is cleared first. */
  public void drainTo(Outbox outbox) {
    outbox.clear();
    if (roles.role() instanceof Leader leader) {
      transferring.advance(leader);
      reconfiguring.advance(leader);
    }
    if (roles.role() instanceof Leader leader) {
      leading.flush(leader);
    } else if (roles.role() instanceof Follower follower) {
      reading.flush(follower);
    }
    member.effects.drainTo(outbox, member.log);
    outbox.nextWakeupMs = member.log.hasMoreToHandOut() ? member.nowMs() : roles.role().wakeupMs();
  }

  /**
   * The cluster time at {@code nowMs}, which never runs faster than the clock of the inputs. On a
   * leader it is the stamp that a proposal would get, and never falls; on others, the stamp of the
   * last entry, which may fall when that entry gives way to those of a newer leader.
   */
  public long clusterTimeMs(long nowMs) {
    return member.clock.at(nowMs);
  }

  /**
   * The cluster time for people, who want to know how much of a lease is left: on a follower, what
   * its leader told last, which is a heartbeat old and may be more than the stamp of any entry.
   */
  public long knownClusterTimeMs(long nowMs) {
    return member.clock.known(nowMs);
  }

  public RaftStatus status() {
    RaftLog log = member.log;
    Role role = roles.role();
    return new RaftStatus(
        role.kind(),
        roles.term(),
        role.leader(),
        log.base().index(),
        log.snapshotIndex(),
        log.last(),
        log.durable(),
        log.committed(),
        log.applied(),
        member.membership(),
        log.configurations().presentIndex(),
        role instanceof Leader leader ? leader.transferTarget() : NodeId.NONE,
        role instanceof Leader leader ? leader.status() : List.of());
  }

  /** The core's inside, for tests of its invariants. */
  Member member() {
    return member;
  }
}

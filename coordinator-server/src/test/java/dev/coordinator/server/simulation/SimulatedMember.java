// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.machine.MachineInvariants;
import dev.coordinator.server.metrics.NodeMetrics;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftConfig;
import dev.coordinator.server.raft.RaftInvariants;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.RaftTrace;
import dev.coordinator.server.raft.RestoredState;
import dev.coordinator.server.raft.RoleKind;
import dev.coordinator.server.runtime.CoordinatorNode;
import dev.coordinator.server.runtime.KeepAliveWindow;
import dev.coordinator.server.runtime.Mailbox;
import dev.coordinator.server.runtime.MemberState;
import dev.coordinator.server.runtime.NodeLimits;
import dev.coordinator.server.runtime.NodeLoop;
import dev.coordinator.server.runtime.NodePorts;
import dev.coordinator.server.runtime.NodeSettings;
import dev.coordinator.server.runtime.WatchHistory;
import dev.coordinator.server.storage.RecoveredLog;
import dev.coordinator.server.storage.SimulatedDisk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** One member: the real node loop, a disk that outlives crashes, a clock that drifts and stops. */
final class SimulatedMember {

  private static final List<String> ROLES =
      Arrays.stream(RoleKind.values()).map(RoleKind::name).toList();
  private static final long NEVER = Long.MAX_VALUE;
  private static final long SHORTEST_ROUND_NANOS = 20_000;

  private final SimulatedCluster cluster;
  private final Schedule schedule;
  private final Faults faults;
  private final NodeId id;
  private final Membership membership;
  private final SimulatedDisk disk = new SimulatedDisk();
  private final double clockRate;
  private final long clockOffsetNanos;

  private SimulatedLog log;
  private Mailbox mailbox;
  private NodeLoop loop;
  private CoordinatorNode node;
  private RaftInvariants raftInvariants;
  private long committedSeen;
  private long nextRoundNanos = NEVER;
  private boolean paused;

  SimulatedMember(SimulatedCluster cluster, NodeId id, Membership membership) {
    this.cluster = cluster;
    this.schedule = cluster.schedule();
    this.faults = cluster.faults();
    this.id = id;
    this.membership = membership;
    this.clockRate = cluster.drawClockRate();
    this.clockOffsetNanos = schedule.random().nextLong(1_000_000_000_000L);
  }

  NodeId id() {
    return id;
  }

  boolean isAlive() {
    return loop != null;
  }

  boolean isLeader() {
    return isAlive() && loop.core().isLeader();
  }

  CoordinatorNode node() {
    return node;
  }

  NodeLoop loop() {
    return loop;
  }

  void start() {
    try {
      log = new SimulatedLog(schedule, faults, disk, id);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    NodeMetrics metrics = NodeMetrics.none(ROLES);
    mailbox = new Mailbox(10_000, 10_000, metrics.loop());
    log.reportTo(mailbox);
    RecoveredLog recovered = log.recovered();
    loop =
        new NodeLoop(
            new MemberState(
                id,
                RestoredState.ofLog(membership, recovered.hardState(), recovered.entries()),
                null),
            settings(),
            new NodePorts(
                mailbox,
                log,
                this::send,
                () -> localNanos(schedule.nowNanos()),
                new SplittableRandom(schedule.random().nextLong()),
                Runnable::run,
                Runnable::run,
                new Leaderships()),
            metrics,
            localNanos(schedule.nowNanos()));
    node = new CoordinatorNode(loop);
    raftInvariants = new RaftInvariants();
    committedSeen = 0;
    paused = false;
    NodeLoop started = loop;
    mailbox.onInput(
        () -> {
          if (loop == started) {
            runAt(schedule.nowNanos());
          }
        });
    runAt(schedule.nowNanos());
  }

  private NodeSettings settings() {
    RaftConfig raft =
        new RaftConfig(
            500, 50, 20, 64 << 10, faults.maxBatchEntries(), faults.maxInFlightBatches());
    return new NodeSettings(
        raft, NodeLimits.DEFAULT, KeepAliveWindow.DEFAULT, WatchHistory.DEFAULT, 2_000);
  }

  /** Ends the process; with {@code powerCut}, the machine as well, and the page cache with it. */
  void crash(boolean powerCut) {
    if (!isAlive()) {
      return;
    }
    cluster.note("%s crashes%s", id, powerCut ? " in a power cut" : "");
    log.die();
    if (schedule.random().nextBoolean()) {
      cluster.network().loseAllFrom(id);
    }
    loop = null;
    node = null;
    nextRoundNanos = NEVER;
    if (powerCut) {
      disk.powerCut(schedule.random());
    } else {
      disk.kill();
    }
  }

  /** Stops the process for a while, as SIGSTOP or a long collection of garbage does. */
  void pause(long forNanos) {
    if (!isAlive() || paused) {
      return;
    }
    cluster.note("%s stands still for %d ms", id, forNanos / 1_000_000);
    NodeLoop stopped = loop;
    paused = true;
    schedule.after(
        forNanos,
        () -> {
          if (loop == stopped) {
            paused = false;
            nextRoundNanos = NEVER;
            runAt(schedule.nowNanos());
          }
        });
  }

  void receive(RaftMessage message) {
    if (isAlive()) {
      mailbox.receive(message);
    }
  }

  void disconnected(NodeId peer) {
    if (isAlive()) {
      mailbox.disconnected(peer);
    }
  }

  private void send(RaftMessage message) {
    cluster.network().send(message);
    if (schedule.chance(cluster.crashAfter(message))) {
      schedule.at(schedule.nowNanos(), () -> cluster.crashAndRestart(this, schedule.chance(0.7)));
    }
  }

  private void runAt(long nanos) {
    long at = Math.max(nanos, schedule.nowNanos() + SHORTEST_ROUND_NANOS);
    if (at >= nextRoundNanos) {
      return;
    }
    nextRoundNanos = at;
    NodeLoop planned = loop;
    schedule.at(
        at,
        () -> {
          if (loop == planned && nextRoundNanos == at && !paused) {
            runRound();
          }
        });
  }

  private void runRound() {
    nextRoundNanos = NEVER;
    long nextLocalNanos = loop.runOnce(localNanos(schedule.nowNanos()));
    long committed = loop.core().status().committed();
    long committedBefore = committedSeen;
    while (committedSeen < committed) {
      cluster.oracle().commits(id, log.entry(++committedSeen));
    }
    raftInvariants.check(loop.core());
    if (committed > committedBefore) {
      MachineInvariants.check(loop.machine());
    }
    if (nextLocalNanos != NEVER) {
      runAt(trueNanos(nextLocalNanos));
    }
  }

  private long localNanos(long trueNanos) {
    return clockOffsetNanos + (long) (trueNanos * clockRate);
  }

  private long trueNanos(long localNanos) {
    return (long) Math.ceil((localNanos - clockOffsetNanos) / clockRate) + 1;
  }

  @Override
  public String toString() {
    return "member " + id;
  }

  /** Tells the oracle who leads, and the story what happens. */
  private final class Leaderships implements RaftTrace {

    @Override
    public void roleChanged(long nowMs, RoleKind role, long term, NodeId leader, String why) {
      cluster.note("%s is %s in term %d: %s", id, role, term, why);
      if (role == RoleKind.LEADER) {
        cluster.oracle().leads(id, term);
        cluster.leads(SimulatedMember.this);
      }
    }

    @Override
    public void voteAnswered(
        long nowMs, RaftMessage.RequestVote request, boolean granted, String why) {
      cluster.note(
          "%s %s member %s %s in term %d: %s",
          id,
          granted ? "grants" : "refuses",
          request.from(),
          request.preVote() ? "a pre-vote" : "a vote",
          request.term(),
          why);
    }

    @Override
    public void truncated(long nowMs, long fromIndex) {
      cluster.note("%s truncates its log from %d", id, fromIndex);
    }

    @Override
    public void committed(long nowMs, long index) {
      cluster.note("%s commits up to %d", id, index);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.machine.MachineInvariants;
import dev.coordinator.server.metrics.NodeMetrics;
import dev.coordinator.server.ports.PeerSender;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftInvariants;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.RaftStatus;
import dev.coordinator.server.raft.RaftTrace;
import dev.coordinator.server.raft.RestoredState;
import dev.coordinator.server.raft.RoleKind;
import dev.coordinator.server.raft.Sender;
import dev.coordinator.server.runtime.CoordinatorNode;
import dev.coordinator.server.runtime.Mailbox;
import dev.coordinator.server.runtime.MemberFailure;
import dev.coordinator.server.runtime.MemberState;
import dev.coordinator.server.runtime.NodeLoop;
import dev.coordinator.server.runtime.NodePorts;
import dev.coordinator.server.storage.BitFlips;
import dev.coordinator.server.storage.RecoveredLog;
import dev.coordinator.server.storage.SimulatedDisk;
import dev.coordinator.server.storage.StorageException;
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
  private final Tuning tuning;
  private final NodeId id;
  private final Membership membership;
  private final SimulatedDisk disk = new SimulatedDisk();
  private final DiskFaults diskFaults = new DiskFaults(this::diedAtDisk);
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
  private long diskDelayNanos;

  /** What its log held before bits of it were flipped; null if none were. */
  private RecoveredLog undamaged;

  private boolean flipsChecked;
  private boolean refuses;

  SimulatedMember(SimulatedCluster cluster, NodeId id, Membership membership) {
    this.cluster = cluster;
    this.schedule = cluster.schedule();
    this.tuning = cluster.tuning();
    this.id = id;
    this.membership = membership;
    this.clockRate = cluster.drawClockRate();
    this.clockOffsetNanos = schedule.random().nextLong(1_000_000_000_000L);
    disk.setFault(diskFaults);
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

  /** Whether it found damage on its disk and stays down. */
  boolean refusesToStart() {
    return refuses;
  }

  /** Whether there is a log on its disk: a member that died early may have none. */
  boolean hasLog() {
    return BitFlips.hasSegments(disk);
  }

  /** Whether bits of its disk were ever flipped. */
  boolean isDamaged() {
    return undamaged != null;
  }

  CoordinatorNode node() {
    return node;
  }

  NodeLoop loop() {
    return loop;
  }

  SimulatedDisk disk() {
    return disk;
  }

  DiskFaults diskFaults() {
    return diskFaults;
  }

  /** Every write takes so much longer. */
  void slowDisk(long byNanos) {
    diskDelayNanos = byNanos;
  }

  void start() {
    if (refuses) {
      return;
    }
    diskFaults.revive();
    try {
      log = new SimulatedLog(schedule, disk, id, tuning.log(), this::drawSyncNanos);
    } catch (IOException e) {
      startFailed(e);
      return;
    } catch (DiskFaults.Killed e) {
      diedAtStart();
      return;
    }
    if (diskFaults.hasKilled()) {
      diedAtStart();
      return;
    }
    RecoveredLog recovered = log.recovered();
    if (undamaged != null && !flipsChecked) {
      checkUnharmed(recovered);
    }
    NodeMetrics metrics = NodeMetrics.none(ROLES);
    mailbox = new Mailbox(tuning.mailboxCapacity(), tuning.mailboxCapacity(), metrics.loop());
    log.reportTo(mailbox);
    loop =
        new NodeLoop(
            new MemberState(
                id,
                RestoredState.ofLog(membership, recovered.hardState(), recovered.entries()),
                null),
            tuning.node(),
            new NodePorts(
                mailbox,
                log,
                new NoSnapshots(),
                new Outlet(),
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

  private long drawSyncNanos() {
    return diskDelayNanos + schedule.delayNanos(200_000, cluster.maxSyncNanos());
  }

  private void startFailed(IOException cause) {
    if (!(cause instanceof StorageException)) {
      cluster.note("%s cannot start: %s", this, cause.getMessage());
      endProcess(false);
      cluster.restartLater(this);
    } else if (undamaged == null) {
      throw new Violation("%s refuses to start, but its disk is sound: %s", this, cause);
    } else {
      refuses = true;
      cluster.note("%s refuses to start: %s", this, firstSentence(cause));
    }
  }

  private void diedAtStart() {
    endProcess(schedule.random().nextBoolean());
    cluster.restartLater(this);
  }

  private static String firstSentence(Exception cause) {
    String text = String.valueOf(cause.getMessage());
    int end = text.indexOf(". ");
    return end < 0 ? text : text.substring(0, end);
  }

  /** A member that starts in spite of flipped bits must know all that it knew. */
  private void checkUnharmed(RecoveredLog recovered) {
    flipsChecked = true;
    if (!recovered.equals(undamaged)) {
      throw new Violation(
          "%s started with a damaged log: entries up to %d and %s, but it had entries up to %d"
              + " and %s",
          this,
          recovered.lastIndex(),
          recovered.hardState(),
          undamaged.lastIndex(),
          undamaged.hardState());
    }
  }

  /**
   * Flips bits of a log at rest. Not those of its last frame: that one, no log can tell from a torn
   * one.
   */
  void flipBits() {
    try {
      undamaged = SimulatedLog.read(disk, id, tuning.log());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    flipsChecked = false;
    int flips = 1 + schedule.random().nextInt(3);
    for (int i = 0; i < flips; i++) {
      cluster.note(
          "%s: a bit flips in %s", this, BitFlips.flip(disk, SimulatedLog.SALT, schedule.random()));
    }
  }

  /** Its disk works from now on. */
  void calm() {
    diskFaults.calm();
    disk.setCapacityBytes(Long.MAX_VALUE);
    diskDelayNanos = 0;
  }

  /** Ends the process; with {@code powerCut}, the machine as well, and the page cache with it. */
  void crash(boolean powerCut) {
    if (isAlive()) {
      cluster.note("%s %s", this, powerCut ? "loses its power" : "is killed");
      endProcess(powerCut);
    }
  }

  private void endProcess(boolean powerCut) {
    if (log != null) {
      log.die();
    }
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

  /** What the node's thread does when a round fails: the member stops for good. */
  private void stopAfter(MemberFailure failure) {
    if (!log.hasFailed()) {
      throw failure;
    }
    cluster.note("%s stops: %s", this, failure.getCause().getMessage());
    loop.stop("the member stopped");
    endProcess(false);
    cluster.crashed(this);
  }

  /** Stops the process for a while, as SIGSTOP or a long collection of garbage does. */
  void pause(long forNanos) {
    if (!isAlive() || paused) {
      return;
    }
    cluster.note("%s stands still for %d ms", this, forNanos / 1_000_000);
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

  void receive(Letter letter) {
    if (isAlive()) {
      mailbox.receive(letter.sender(), letter.message());
    }
  }

  void disconnected(NodeId peer) {
    if (isAlive()) {
      mailbox.disconnected(peer);
    }
  }

  /** The way out to the others. */
  private final class Outlet implements PeerSender {

    private Sender self = Sender.UNKNOWN;

    @Override
    public void configure(Sender newSelf, Membership configuration) {
      self = newSelf;
    }

    @Override
    public void send(RaftMessage message) {
      cluster.network().send(new Letter(self, message));
      if (schedule.chance(cluster.crashAfter(message))) {
        crashAtOnce(FaultKind.CRASH_AFTER_SENDING);
      }
    }
  }

  private void diedAtDisk() {
    cluster.note("%s dies at its disk", this);
    if (isAlive()) {
      crashAtOnce(FaultKind.CRASH_AT_DISK);
    } else {
      cluster.figures().fault(FaultKind.CRASH_AT_DISK);
    }
  }

  /** Right after what happens at this moment, and before anything else does. */
  private void crashAtOnce(FaultKind how) {
    NodeLoop running = loop;
    schedule.first(
        () -> {
          if (loop == running) {
            cluster.figures().fault(how);
            cluster.crashAndRestart(this, schedule.chance(0.7));
          }
        });
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
    boolean mustStop = log.hasFailed();
    long nextLocalNanos;
    try {
      nextLocalNanos = loop.runOnce(localNanos(schedule.nowNanos()));
    } catch (MemberFailure failure) {
      stopAfter(failure);
      return;
    }
    if (mustStop) {
      throw new Violation("%s goes on although its log has failed", this);
    }
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

  /** How it stands, for people. */
  String describe() {
    if (!isAlive()) {
      return this + (refuses ? " refuses to start" : " is down");
    }
    RaftStatus status = loop.core().status();
    return String.format(
        "%s is %s in term %d, log up to %d, durable %d, committed %d, applied %d%s",
        this,
        status.role(),
        status.term(),
        status.last(),
        status.durable(),
        status.committed(),
        status.applied(),
        paused ? ", stands still" : "");
  }

  @Override
  public String toString() {
    return "member " + id;
  }

  /** Tells the oracle who leads, and the story what happens. */
  private final class Leaderships implements RaftTrace {

    @Override
    public void roleChanged(long nowMs, RoleKind role, long term, NodeId leader, String why) {
      cluster.note("%s is %s in term %d: %s", SimulatedMember.this, role, term, why);
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
          SimulatedMember.this,
          granted ? "grants" : "refuses",
          request.from(),
          request.preVote() ? "a pre-vote" : "a vote",
          request.term(),
          why);
    }

    @Override
    public void truncated(long nowMs, long fromIndex) {
      cluster.note("%s truncates its log from %d", SimulatedMember.this, fromIndex);
    }

    @Override
    public void committed(long nowMs, long index) {
      if (isLeader()) {
        cluster.note("%s commits up to %d", SimulatedMember.this, index);
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.machine.MachineInvariants;
import dev.coordinator.server.metrics.LoopMetrics;
import dev.coordinator.server.metrics.NodeMetrics;
import dev.coordinator.server.ports.LogStore;
import dev.coordinator.server.ports.PeerSender;
import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftInvariants;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.RaftStatus;
import dev.coordinator.server.raft.RaftTrace;
import dev.coordinator.server.raft.RestoredState;
import dev.coordinator.server.raft.RoleKind;
import dev.coordinator.server.raft.Sender;
import dev.coordinator.server.raft.SnapshotMeta;
import dev.coordinator.server.raft.WriteBatch;
import dev.coordinator.server.runtime.CoordinatorNode;
import dev.coordinator.server.runtime.Mailbox;
import dev.coordinator.server.runtime.MemberFailure;
import dev.coordinator.server.runtime.MemberState;
import dev.coordinator.server.runtime.NodeLoop;
import dev.coordinator.server.runtime.NodePorts;
import dev.coordinator.server.storage.BitFlips;
import dev.coordinator.server.storage.LogIdentity;
import dev.coordinator.server.storage.SegmentedLog;
import dev.coordinator.server.storage.SimulatedDisk;
import dev.coordinator.server.storage.StorageException;
import dev.coordinator.server.storage.snapshot.RecoveredState;
import dev.coordinator.server.storage.snapshot.SequentialSnapshotFormat;
import dev.coordinator.server.storage.snapshot.SnapshotFiles;
import dev.coordinator.server.storage.snapshot.WholeSnapshots;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;

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
  private SimulatedDisk logDisk;
  private SimulatedDisk snapshotDisk;
  private List<SimulatedDisk> disks;
  private final DiskFaults diskFaults = new DiskFaults(this::diedAtDisk, this::diskRefused);
  private final double clockRate;
  private final long clockOffsetNanos;
  private LogIdentity identity;

  /** Of all its lives: to register them anew would be a good part of the work of a start. */
  private final NodeMetrics metrics = NodeMetrics.none(ROLES);

  private SimulatedLog log;
  private SimulatedSnapshots snapshots;
  private Mailbox mailbox;
  private NodeLoop loop;
  private CoordinatorNode node;
  private RaftInvariants raftInvariants;

  /** When its loop runs next. */
  private Alarm alarm;

  /** How its core stands between two rounds. */
  private RaftStatus status;

  private long committedSeen;
  private long lastRoundNanos;
  private long roundGapNanos;
  private boolean paused;
  private long diskDelayNanos;

  /** How long the next work of a disk takes; 0 if no longer than usual. */
  private long hangNanos;

  /** What its disks held before bits were flipped; null if none were, or it has started since. */
  private RestoredState undamaged;

  /** A snapshot in which a bit flipped while the member ran, and what it holds since; or null. */
  private String rottenSnapshot;

  private byte[] rottenContent;

  private boolean flippedInLog;

  /** Behind which entry the log began anew with a snapshot the last time; 0 if it never did. */
  private long logBeganAt;

  private boolean refuses;
  private boolean wiped;
  private final Promises promises;

  SimulatedMember(SimulatedCluster cluster, NodeId id, Membership membership) {
    this.cluster = cluster;
    this.schedule = cluster.schedule();
    this.tuning = cluster.tuning();
    this.id = id;
    this.promises = new Promises(id, cluster.majorities());
    this.membership = membership;
    this.clockRate = cluster.drawClockRate();
    this.clockOffsetNanos = schedule.random().nextLong(1_000_000_000_000L);
    getNewDisks();
  }

  private void getNewDisks() {
    identity = new LogIdentity("simulated", id, schedule.random().nextLong());
    logDisk = new SimulatedDisk();
    snapshotDisk = new SimulatedDisk();
    disks = List.of(logDisk, snapshotDisk);
    disks.forEach(disk -> disk.setFault(diskFaults));
  }

  /** Replaces its disks by empty ones, while it is down. */
  void wipe() {
    wiped = true;
    promises.lostDisks();
    logBeganAt = 0;
    getNewDisks();
  }

  /** Asks for two at once. Returns whether there is anybody to ask. */
  boolean takeSnapshots() {
    if (isAlive()) {
      node.takeSnapshot();
      node.takeSnapshot();
    }
    return isAlive();
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
    return BitFlips.hasSegments(logDisk);
  }

  /** Whether what it knew is gone, or may be found to be so: it can keep no promises. */
  boolean isLost() {
    return wiped || undamaged != null || hasRottenSnapshot();
  }

  private boolean hasRottenSnapshot() {
    return rottenSnapshot != null
        && snapshotDisk.list().contains(rottenSnapshot)
        && Arrays.equals(rottenContent, snapshotDisk.content(rottenSnapshot));
  }

  CoordinatorNode node() {
    return node;
  }

  NodeLoop loop() {
    return loop;
  }

  /** Both its disks take no more than a little. */
  void fillDisk() {
    for (SimulatedDisk disk : disks) {
      disk.setCapacityBytes(disk.usedBytes() + schedule.random().nextInt(4_096));
    }
  }

  void freeDisk() {
    disks.forEach(disk -> disk.setCapacityBytes(Long.MAX_VALUE));
  }

  DiskFaults diskFaults() {
    return diskFaults;
  }

  /** The next write, or work on a snapshot, takes so much longer. */
  void hangAtDisk(long forNanos) {
    hangNanos = forNanos;
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
    RecoveredState recovered;
    SnapshotFiles files;
    try {
      log =
          new SimulatedLog(
              schedule, logDisk, identity, tuning.log(), this::drawSyncNanos, promises::wrote);
      files = openSnapshots(snapshotDisk);
      recovered =
          RecoveredState.recover(membership, identity.incarnation(), log.recoverable(), files);
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
    if (undamaged != null) {
      checkUnharmed(recovered);
    }
    promises.checkKept(recovered.restored());
    // It knows all that it promised, from what was not hit: it counts again.
    undamaged = null;
    if (recovered.restored().entries().isEmpty()) {
      logBeganAt = Math.max(logBeganAt, recovered.restored().base().index());
    }
    mailbox =
        new Mailbox(
            tuning.mailboxCapacity(),
            tuning.mailboxCapacity(),
            new LoopMetrics(new CompositeMeterRegistry()));
    log.start(recovered.restored(), mailbox);
    snapshots =
        new SimulatedSnapshots(
            schedule, cluster.oracle(), promises, id, files, this::drawSyncNanos);
    snapshots.reportTo(mailbox);
    loop =
        new NodeLoop(
            new MemberState(id, recovered.restored(), recovered.machine()),
            tuning.node(),
            new NodePorts(
                mailbox,
                new WatchedLog(),
                snapshots,
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
    status = loop.core().status();
    SnapshotMeta snapshot = recovered.restored().snapshot();
    committedSeen = snapshot == null ? 0 : snapshot.index();
    paused = false;
    alarm = new Alarm(schedule, this::runRound);
    NodeLoop started = loop;
    mailbox.onInput(
        () -> {
          if (loop == started) {
            runAt(schedule.nowNanos());
          }
        });
    runAt(schedule.nowNanos());
  }

  private SnapshotFiles openSnapshots(SimulatedDisk disk) throws IOException {
    return SnapshotFiles.open(disk, new SequentialSnapshotFormat(disk), tuning.snapshots());
  }

  private long drawSyncNanos() {
    long hangsNanos = hangNanos;
    if (hangsNanos > 0) {
      hangNanos = 0;
      cluster.note("the disk of %s hangs for %d ms", this, hangsNanos / 1_000_000);
      cluster.figures().fault(FaultKind.HANGING_DISK);
    }
    return hangsNanos + diskDelayNanos + schedule.delayNanos(200_000, cluster.maxSyncNanos());
  }

  private void startFailed(IOException cause) {
    if (!(cause instanceof StorageException)) {
      cluster.note("%s cannot start: %s", this, cause.getMessage());
      endProcess(false);
      cluster.restartLater(this);
    } else if (undamaged == null && !hasRottenSnapshot()) {
      throw new Violation("%s refuses to start, but its disk is sound: %s", this, cause);
    } else if (!flippedInLog && canGoOnFromOlderSnapshot()) {
      throw new Violation("%s refuses to start, but has an older snapshot: %s", this, cause);
    } else {
      refuses = true;
      cluster.note("%s refuses to start: %s", this, firstSentence(cause));
    }
  }

  private boolean canGoOnFromOlderSnapshot() {
    try {
      return WholeSnapshots.indexBeforeNewest(snapshotDisk.copy()) >= logBeganAt;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
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

  /**
   * A member that starts in spite of flipped bits must know all that it knew. If a snapshot was
   * hit, an older one and the log tell the same: that shows when it commits, and when the states of
   * all are compared in the end.
   */
  private void checkUnharmed(RecoveredState recovered) {
    if (recovered.damaged().isEmpty() && !recovered.restored().equals(undamaged)) {
      throw new Violation(
          "%s started with a damaged disk as %s, but it had %s",
          this, recovered.restored(), undamaged);
    }
  }

  /**
   * Flips bits of the files at rest. Not those of the last frame of the log: that one, no log can
   * tell from a torn one.
   */
  void flipBits() {
    // By the time that bits flip, what was left in the page cache has long been written.
    logDisk.settle();
    snapshotDisk.settle();
    try {
      SimulatedDisk logCopy = logDisk.copy();
      SegmentedLog readable = SegmentedLog.open(logCopy, identity, tuning.log(), Runnable::run);
      undamaged =
          RecoveredState.recover(
                  membership, identity.incarnation(), readable, openSnapshots(snapshotDisk.copy()))
              .restored();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    boolean ofSnapshots = schedule.random().nextBoolean() && !snapshotDisk.list().isEmpty();
    flippedInLog = !ofSnapshots;
    // One in the log: if the last two frames are hit, no log can tell that from a torn one either.
    int flips = ofSnapshots ? 1 + schedule.random().nextInt(3) : 1;
    for (int i = 0; i < flips; i++) {
      cluster.note(
          "%s: a bit flips in %s",
          this,
          ofSnapshots
              ? BitFlips.flipAny(snapshotDisk, schedule.random())
              : BitFlips.flip(logDisk, identity.salt(), schedule.random()));
    }
  }

  /**
   * Flips a bit of the newest snapshot while the member runs. It finds that out when a follower is
   * to be sent that one, or when it starts again, unless another has taken its place before.
   *
   * @return whether there is a snapshot
   */
  boolean flipBitOfNewestSnapshot() {
    rottenSnapshot =
        snapshotDisk.list().stream()
            .filter(file -> file.endsWith(".snapshot"))
            .max(Comparator.naturalOrder())
            .orElse(null);
    if (rottenSnapshot == null) {
      return false;
    }
    String where = BitFlips.flipIn(snapshotDisk, rottenSnapshot, schedule.random());
    cluster.note("%s: a bit flips in %s while it runs", this, where);
    rottenContent = snapshotDisk.content(rottenSnapshot);
    return true;
  }

  /** Its disk and its processor work from now on. */
  void calm() {
    starve(0);
    diskFaults.calm();
    freeDisk();
    diskDelayNanos = 0;
    hangNanos = 0;
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
    if (snapshots != null) {
      snapshots.die();
    }
    if (schedule.random().nextBoolean()) {
      cluster.network().loseAllFrom(id);
    }
    if (isAlive()) {
      alarm.clear();
    }
    loop = null;
    node = null;
    for (SimulatedDisk disk : disks) {
      if (powerCut) {
        disk.powerCut(schedule.random());
      } else {
        disk.kill();
      }
    }
  }

  /** What the node's thread does when a round fails: the member stops for good. */
  private void stopAfter(MemberFailure failure) {
    if (!hasFailedDisk()) {
      throw failure;
    }
    cluster.note("%s stops: %s", this, failure.getCause().getMessage());
    loop.stop("the member stopped");
    endProcess(false);
    cluster.crashed(this);
  }

  /**
   * Stops the process for a while, as SIGSTOP or a long collection of garbage does.
   *
   * @return whether it ran before
   */
  boolean pause(long forNanos) {
    if (!isAlive() || paused) {
      return false;
    }
    cluster.note("%s stands still for %d ms", this, forNanos / 1_000_000);
    NodeLoop stopped = loop;
    paused = true;
    schedule.after(
        forNanos,
        () -> {
          if (loop == stopped) {
            paused = false;
            alarm.clear();
            runAt(schedule.nowNanos());
          }
        });
    return true;
  }

  /** Lets its loop run no more often than this, so that it finds many messages at once. */
  void starve(long gapNanos) {
    roundGapNanos = gapNanos;
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

  /** The log, where it can be seen what replaces what was confirmed. */
  private final class WatchedLog implements LogStore {

    @Override
    public void append(WriteBatch batch) {
      promises.writes(batch);
      if (batch.base() != null) {
        logBeganAt = batch.base().index();
      }
      log.append(batch);
      if (!log.hasFailed()) {
        for (Entry entry : batch.entries()) {
          cluster.written().writes(id, entry, log.termAt(entry.index() - 1));
        }
      }
    }

    @Override
    public void dropUpTo(long index) {
      log.dropUpTo(index);
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
      promises.sent(message);
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

  private void diskRefused(SimulatedDisk.Operation operation) {
    cluster.note("%s fails at the disk of %s", operation, this);
    cluster
        .figures()
        .fault(
            switch (operation) {
              case WRITE -> FaultKind.WRITE_ERROR;
              case FORCE -> FaultKind.SYNC_ERROR;
              default -> FaultKind.DISK_ERROR;
            });
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
    long earliest =
        Math.max(schedule.nowNanos() + SHORTEST_ROUND_NANOS, lastRoundNanos + roundGapNanos);
    alarm.noLaterThan(Math.max(nanos, earliest));
  }

  private void runRound() {
    if (paused) {
      return;
    }
    lastRoundNanos = schedule.nowNanos();
    boolean mustStop = hasFailedDisk();
    RaftStatus before = status;
    long nextLocalNanos;
    try {
      nextLocalNanos = loop.runOnce(localNanos(schedule.nowNanos()));
    } catch (MemberFailure failure) {
      stopAfter(failure);
      return;
    }
    if (mustStop) {
      throw new Violation("%s goes on although its disk has failed", this);
    }
    status = loop.core().status();
    long committed = status.committed();
    long committedBefore = committedSeen;
    while (committedSeen < committed) {
      Entry entry = log.entry(++committedSeen);
      if (entry != null) { // Otherwise a snapshot stands for it, and for what was in the log.
        cluster.oracle().commits(id, status.term(), entry);
      }
    }
    raftInvariants.check(loop.core(), status);
    if (committed > committedBefore) {
      checkMajorityHolds(before);
      MachineInvariants.check(loop.machine());
    }
    if (nextLocalNanos != NEVER) {
      runAt(trueNanos(nextLocalNanos));
    }
  }

  private boolean hasFailedDisk() {
    return log.hasFailed() || snapshots.hasFailed();
  }

  /** Of what it committed as a leader, unless it counted over another configuration meanwhile. */
  private void checkMajorityHolds(RaftStatus before) {
    if (before.role() != RoleKind.LEADER
        || status.role() != RoleKind.LEADER
        || before.term() != status.term()
        || !before.membership().equals(status.membership())) {
      return;
    }
    Set<NodeId> holders = new TreeSet<>();
    for (SimulatedMember member : cluster.members()) {
      long held = member == this ? status.durable() : member.promises.confirmedIndex();
      if (held >= status.committed()) {
        holders.add(member.id);
      }
    }
    cluster.majorities().commits(id, status.committed(), status.membership(), holders);
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
    RaftStatus present = loop.core().status();
    return String.format(
        "%s is %s in term %d of %s, log up to %d, durable %d, committed %d, applied %d%s",
        this,
        present.role(),
        present.term(),
        present.membership(),
        present.last(),
        present.durable(),
        present.committed(),
        present.applied(),
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
        cluster.oracle().leads(id, term, position -> RaftInvariants.holds(loop.core(), position));
        cluster.majorities().leads(id, term, loop.core().status().membership());
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
      promises.replaced(loop.core().status().term(), fromIndex - 1);
    }

    @Override
    public void snapshotTaken(long nowMs, SnapshotMeta snapshot) {
      cluster.note("%s has a snapshot up to %s", SimulatedMember.this, snapshot.last());
    }

    @Override
    public void snapshotSent(long nowMs, NodeId follower, SnapshotMeta snapshot) {
      cluster.note(
          "%s sends member %s a snapshot up to %s",
          SimulatedMember.this, follower, snapshot.last());
    }

    @Override
    public void snapshotInstalled(long nowMs, SnapshotMeta snapshot, boolean logDiscarded) {
      cluster.figures().installed();
      cluster.oracle().takes(id, snapshot);
      if (logDiscarded) {
        promises.replaced(loop.core().status().term(), snapshot.index());
      }
      cluster.note(
          "%s installs a snapshot up to %s%s",
          SimulatedMember.this, snapshot.last(), logDiscarded ? ", without its log" : "");
    }

    @Override
    public void configurationChanged(long nowMs, long index, Membership present) {
      cluster.note("%s goes by %s of entry %d", SimulatedMember.this, present, index);
      if (isLeader()) {
        cluster.checkVotersKnowThemselves(present);
      }
      cluster.membersChange();
    }

    @Override
    public void committed(long nowMs, long index) {
      if (isLeader()) {
        cluster.note("%s commits up to %d", SimulatedMember.this, index);
      }
    }
  }
}

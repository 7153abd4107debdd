// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.CoordinatorMachine;
import dev.coordinator.server.machine.LockView;
import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.metrics.NodeMetrics;
import dev.coordinator.server.raft.ChangeAnswer;
import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.Outbox;
import dev.coordinator.server.raft.RaftCore;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.RaftStatus;
import dev.coordinator.server.raft.Refusal;
import dev.coordinator.server.raft.RoleKind;
import dev.coordinator.server.raft.Sender;
import dev.coordinator.server.raft.SnapshotMeta;
import dev.coordinator.server.wire.CommandCodec;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One member at work: the core, the state machine and everybody who waits for them, turned round by
 * round by whoever calls {@link #runOnce}. It owns no thread and reads no clock that decides
 * anything, so that a simulator can run many of them.
 *
 * <p>A round takes what the mailbox holds, lets time pass, carries out the effects that the core
 * asks for, and hands the answers of the whole round over as one task. Every effect is in {@link
 * #dispatch}, in the one order in which it is right.
 *
 * <p>An exception from a round means that this member must not go on: {@link #stop} it.
 */
public final class NodeLoop {

  private static final Logger log = LoggerFactory.getLogger(NodeLoop.class);

  /** A round takes no more inputs than this, so that their effects do not wait for long. */
  private static final int MAX_INPUTS_PER_ROUND = 4_096;

  /** The state for other threads is published anew after this time, or when the leader changes. */
  private static final long STATUS_INTERVAL_MS = 50;

  private static final long NANOS_PER_MS = 1_000_000;
  private static final long NEVER = Long.MAX_VALUE;

  private final NodeId self;
  private final NodeSettings settings;
  private final NodePorts ports;
  private final NodeMetrics metrics;
  private final NodeBoard board;
  private final RaftObserver observer;
  private final RaftCore core;
  private final Outbox outbox = new Outbox();
  private final DurableMessages durableMessages;
  private final Replies replies;
  private final PendingReplies pending;
  private final PendingReads reads;
  private final KeepAliveBatcher keepAlives;
  private final PendingOperations operations;

  /** Cancellations that wait for the end of a transfer of leadership. */
  private final List<LoopInput.Cancellation> postponed = new ArrayList<>();

  private final Admission admission;
  private final PulseTimer pulses = new PulseTimer();
  private final WatchHub watches;
  private final Applier applier;
  private final SnapshotTaker snapshots;

  /** States of snapshots that came in this round; the core decides which one counts. */
  private final List<CoordinatorMachine> received = new ArrayList<>();

  // The time of the round.
  private long nowNanos;
  private long nowMs;

  private long plannedNanos = NEVER;
  private long publishedMs;
  private long outOfTouchSinceMs;
  private boolean isolated = true;

  /** How far the log reached when this member started: before, its state is one of the past. */
  private final long startedWith;

  /**
   * @param nowNanos the present moment on the clock of {@link #runOnce}
   */
  public NodeLoop(
      MemberState state,
      NodeSettings settings,
      NodePorts ports,
      NodeMetrics metrics,
      long nowNanos) {
    this.self = state.self();
    this.settings = settings;
    this.ports = ports;
    this.metrics = metrics;
    setNow(nowNanos);
    board = new NodeBoard(new Leadership(RoleKind.FOLLOWER, state.hardState().term(), NodeId.NONE));
    observer = new RaftObserver(self, board, metrics.raft(), ports.trace());
    core = new RaftCore(settings.raft(), self, state.raft(), ports.random(), observer, nowMs);
    durableMessages = new DurableMessages(ports.peers());
    replies = new Replies(ports.replies());
    pending = new PendingReplies(replies);
    reads = new PendingReads(replies, metrics.raft());
    keepAlives = new KeepAliveBatcher(settings.keepAliveWindow(), metrics.leases());
    operations = new PendingOperations(self, replies);
    admission = new Admission(settings.limits(), self);
    watches = new WatchHub(settings.watchHistory(), ports.watches(), metrics.watches());
    applier = new Applier(state.machine(), pending, watches, metrics);
    snapshots =
        new SnapshotTaker(
            self,
            state.raft().snapshot(),
            settings.snapshots(),
            ports.snapshots(),
            metrics.raft(),
            replies);
    outOfTouchSinceMs = nowMs;
    startedWith = core.status().last();
    watches.close(NodeException.notLeader(NodeId.NONE));
    if (state.machine() != null) {
      watches.restart(view().appliedIndex());
    }
    configure(core.membership());
    publishStatus();
  }

  /**
   * Runs one round. The moments that it is told never fall.
   *
   * @return when to run the next one if no input comes before; Long.MAX_VALUE if then only
   */
  public long runOnce(long presentNanos) {
    setNow(presentNanos);
    if (presentNanos > plannedNanos) {
      tellLateness(presentNanos - plannedNanos);
    }
    ports.mailbox().deliverTo(this, MAX_INPUTS_PER_ROUND);
    core.tick(nowMs);
    if (core.acceptsProposals()) {
      proposeDue();
    }
    if (reads.hasGathered()) {
      core.read(reads.next(), nowMs);
    }
    core.drainTo(outbox);
    if (!operations.isEmpty()) {
      operations.advance(core.status(), board.leadership(), view(), nowMs);
    }
    if (observer.takeLostLeadership()) {
      // Before anything is applied: it may stand where this member's own proposals did.
      failPending();
    }
    dispatch();
    watchForIsolation();
    if (observer.takeChanged() || nowMs - publishedMs >= STATUS_INTERVAL_MS) {
      publishStatus();
    }
    replies.flush();
    plannedNanos = nextRoundNanos();
    return plannedNanos;
  }

  /**
   * Ends everything that waits: what was proposed with an unknown outcome, the rest as never done.
   * Nothing is accepted any more. The last call to a loop.
   */
  public void stop(String why) {
    board.leadership(new Leadership(RoleKind.FOLLOWER, board.leadership().term(), NodeId.NONE));
    NodeException notLeader = NodeException.notLeader(NodeId.NONE);
    ports.mailbox().close(notLeader);
    pending.failAll(NodeException.outcomeUnknown(NodeId.NONE, why));
    operations.failAll(NodeException.outcomeUnknown(NodeId.NONE, why));
    reads.failAll(notLeader);
    keepAlives.failAll(notLeader, replies);
    snapshots.failAll(notLeader);
    watches.close(notLeader);
    replies.flush();
    publishStatus();
  }

  /** The core, to look at between rounds. */
  public RaftCore core() {
    return core;
  }

  /** The state machine, to look at between rounds. */
  public CoordinatorMachine machine() {
    return applier.machine();
  }

  // What the node and its thread use.

  Mailbox mailbox() {
    return ports.mailbox();
  }

  NodeBoard board() {
    return board;
  }

  WatchHub watches() {
    return watches;
  }

  NodeMetrics metrics() {
    return metrics;
  }

  // Inputs.

  void received(Sender sender, RaftMessage message) {
    core.receive(sender, message, nowMs);
  }

  void persisted(long batch) {
    core.persisted(batch, nowMs);
    durableMessages.durable(batch);
  }

  void disconnected(NodeId peer) {
    core.disconnected(peer, nowMs);
  }

  void snapshotAsked(LoopInput.TakeSnapshot call) {
    snapshots.ask(call);
  }

  void snapshotSaved(SnapshotMeta snapshot) {
    snapshots.saved(snapshot, nowNanos);
    core.snapshotTaken(snapshot, nowMs);
  }

  void chunkRead(RaftMessage.InstallSnapshot chunk) {
    Leadership leadership = board.leadership();
    if (leadership.isLeader() && leadership.term() == chunk.term()) {
      ports.peers().send(chunk);
    }
  }

  void snapshotGone(Outbox.ChunkRequest request) {
    core.snapshotGone(request, nowMs);
    snapshots.lost(request.snapshot().last());
  }

  void snapshotDamaged(LogPosition last) {
    snapshots.lost(last);
  }

  void chunkStored(RaftMessage.InstallSnapshot chunk, long nextOffset) {
    core.chunkStored(chunk, nextOffset, nowMs);
  }

  void snapshotReceived(RaftMessage.InstallSnapshot last, CoordinatorMachine machine) {
    core.snapshotReceived(last, nowMs);
    received.add(machine);
  }

  void submitted(LoopInput.Submission submission) {
    PendingCall call = submission.call;
    if (call.isCancelled() && submission.command instanceof Command.AcquireLock acquire) {
      Outcome cancelled = new Outcome.WaitCancelled(acquire.name());
      Answered<Outcome> answer = board.leadership().answer(cancelled, view());
      replies.add(() -> call.complete(answer));
      return;
    }
    NodeException refusal =
        core.acceptsProposals()
            ? admission.refusal(submission.command, view(), pendingCalls())
            : noProposals();
    if (refusal != null) {
      refuse(submission, refusal);
      return;
    }
    call.proposedAt(propose(submission.payload, call));
  }

  void cancelled(LoopInput.Cancellation cancellation) {
    if (core.isLeader() && !core.acceptsProposals()) {
      postponed.add(cancellation);
      return;
    }
    long index = cancellation.call.index();
    // Once answered there is nothing to take back; a call of an earlier leadership was answered.
    if (core.isLeader() && index > 0 && pending.isPending(index, cancellation.call)) {
      propose(new Command.CancelWait(cancellation.lockName, index));
    }
  }

  void keepAliveAsked(LoopInput.KeepAlive call) {
    NodeException refusal =
        core.acceptsProposals() ? admission.overload(keepAlives.underWay()) : noProposals();
    if (refusal != null) {
      refuse(call, refusal);
      return;
    }
    keepAlives.add(call, view(), core.clusterTimeMs(nowMs), nowNanos);
    if (keepAlives.isFull()) {
      proposeRenewals();
    }
  }

  void readAsked(LoopInput.Read<?> read) {
    NodeException refusal = admission.overload(pendingCalls());
    if (refusal != null) {
      refuse(read, refusal);
      return;
    }
    if (read.stale) {
      reads.answerNow(read, view(), board.leadership(), core.knownClusterTimeMs(nowMs));
      return;
    }
    read.takenNanos = nowNanos;
    reads.add(read);
  }

  void changeAsked(LoopInput.ChangeMembership call) {
    ChangeAnswer answer = core.changeMembership(call.change, nowMs);
    if (answer.isRefused()) {
      refuse(call, NodeException.refused(answer.refusal(), board.leadership().leader()));
    } else {
      operations.begun(call, answer.index(), core.status().term());
    }
  }

  void transferAsked(LoopInput.TransferLeadership call) {
    Refusal refusal = core.transferLeadership(call.target, nowMs);
    if (refusal != null) {
      refuse(call, NodeException.refused(refusal, board.leadership().leader()));
    } else {
      // The core gives up after one; the other is for the new leader to be heard.
      operations.begun(call, nowMs + 2 * settings.raft().electionTimeoutMs());
    }
  }

  void initialStateAsked(WatchHub.Watch watch) {
    if (watch.isClosed()) {
      return;
    }
    WatchSpec spec = watch.spec();
    int maximum = settings.limits().maxInitialState();
    int room = Math.max(0, maximum - watches.gatheredState());
    List<LockView> state =
        spec.prefix()
            ? view().locks(spec.name(), "", room + 1)
            : view().lock(spec.name()).map(List::of).orElse(List.of());
    int weight = 0;
    for (LockView lock : state) {
      weight += 1 + lock.waiters().size();
    }
    if (weight > room) {
      metrics.limits().refused(NodeLimits.INITIAL_STATE);
      watch.end(NodeException.initialStateRefused(self, maximum));
      return;
    }
    watch.startWith(state, weight, view().appliedIndex(), view().clusterTimeMs());
  }

  // A round.

  private void proposeDue() {
    if (keepAlives.dueNanos() <= nowNanos) {
      proposeRenewals();
    }
    if (!postponed.isEmpty()) {
      List<LoopInput.Cancellation> due = List.copyOf(postponed);
      postponed.clear();
      due.forEach(this::cancelled);
    }
    if (pulses.remainingMs(view(), core.clusterTimeMs(nowMs)) <= 0) {
      pulses.pulsed(propose(Command.Pulse.INSTANCE));
    }
  }

  private void proposeRenewals() {
    KeepAliveBatcher.Batch batch = keepAlives.take();
    propose(CommandCodec.encode(batch.command()), batch);
  }

  /** Proposes a command that nobody waits for. */
  private long propose(Command command) {
    return propose(CommandCodec.encode(command));
  }

  private long propose(byte[] payload, PendingReply reply) {
    long index = propose(payload);
    pending.file(index, reply, nowNanos);
    return index;
  }

  private long propose(byte[] payload) {
    long index = core.propose(payload, nowMs);
    pulses.proposed(index, core.clusterTimeMs(nowMs));
    return index;
  }

  /** Carries out what the core asks for, in the order that {@link Outbox} demands. */
  private void dispatch() {
    // First, for the latest configuration counts, and its entry goes to whom it adds (§4.1).
    if (isConfigurationNew()) {
      configure(core.membership());
    }
    // The leader's own disk write goes on while the messages travel (§10.2.1).
    for (RaftMessage message : outbox.messages) {
      ports.peers().send(message);
    }
    if (outbox.batch != null) {
      ports.log().append(outbox.batch);
      durableMessages.handedOver(outbox.batch.number());
    }
    durableMessages.sendWhenDurable(outbox.messagesAfterPersist);
    if (outbox.installed != null) {
      install(outbox.installed);
    }
    received.clear();
    if (!outbox.committedEntries.isEmpty()) {
      applyCommitted(outbox.committedEntries);
    }
    for (Outbox.SafeRead read : outbox.safeReads) {
      reads.confirmed(read, giveUpReadNanos());
    }
    for (long read : outbox.failedReads) {
      reads.refused(read, notLeader());
    }
    reads.answer(view(), board.leadership(), core.knownClusterTimeMs(nowMs), nowNanos);
    if (reads.deadlineNanos() <= nowNanos) {
      reads.giveUp(nowNanos, notLeader());
    }
    for (Outbox.ChunkRequest request : outbox.chunkRequests) {
      ports.snapshots().read(request);
    }
    for (RaftMessage.InstallSnapshot chunk : outbox.receivedChunks) {
      ports.snapshots().receive(chunk);
    }
    // After the batch, which may be the one that begins the log anew.
    long droppableTo = snapshots.droppableTo(outbox.compactedTo);
    if (droppableTo > 0) {
      ports.log().dropUpTo(droppableTo);
    }
    snapshots.takeIfDue(core, applier.machine(), nowNanos);
  }

  private void install(SnapshotMeta snapshot) {
    for (CoordinatorMachine machine : received) {
      if (machine.view().appliedIndex() == snapshot.index()) {
        applier.install(machine);
      }
    }
    snapshots.installed(snapshot);
  }

  /** Asked in every round: another configuration is another object. */
  @SuppressWarnings("ReferenceEquality")
  private boolean isConfigurationNew() {
    return core.membership() != board.membership();
  }

  private void configure(Membership membership) {
    board.membership(membership);
    ports.peers().configure(core.speaksAs(), membership);
    metrics.raft().peers(peers(membership));
  }

  private List<Long> peers(Membership membership) {
    List<Long> peers = new ArrayList<>();
    for (MemberInfo member : membership.members()) {
      if (!member.id().equals(self)) {
        peers.add(member.id().value());
      }
    }
    return peers;
  }

  private void applyCommitted(List<Entry> entries) {
    long committedNanos = ports.time().nanoTime();
    Leadership leadership = board.leadership();
    for (Entry entry : entries) {
      applier.apply(entry, leadership, committedNanos);
      snapshots.applied(entry);
    }
    long applied = entries.get(entries.size() - 1).index();
    core.applied(applied);
    watches.publish(applied);
    metrics.raft().applied(ports.time().nanoTime() - committedNanos);
  }

  /** A new leader may or may not carry on what this member proposed. */
  private void failPending() {
    NodeId leader = board.leadership().leader();
    metrics.raft().proposalsFailed(pending.unapplied());
    NodeException unknown = NodeException.outcomeUnknown(leader, "leadership was lost");
    pending.failAll(unknown);
    operations.leadershipLost(unknown);
    keepAlives.failAll(notLeader(), replies);
    postponed.clear();
    pulses.reset();
  }

  private void watchForIsolation() {
    boolean inTouch = core.isInTouch();
    observer.warnIfStranded(!inTouch && !board.leadership().leader().isNone(), nowMs);
    if (inTouch) {
      outOfTouchSinceMs = NEVER;
      if (isolated && isCaughtUp()) {
        isolated = false;
        watches.open();
      }
      return;
    }
    outOfTouchSinceMs = Math.min(outOfTouchSinceMs, nowMs);
    if (!isolated && nowMs - outOfTouchSinceMs >= settings.isolatedAfterMs()) {
      isolated = true;
      watches.close(notLeader());
    }
  }

  /**
   * Whether what this member knew when it started is applied, or has given way to other entries.
   */
  private boolean isCaughtUp() {
    return view().appliedIndex() >= Math.min(startedWith, core.status().last());
  }

  private long nextRoundNanos() {
    if (!ports.mailbox().isEmpty()) {
      return nowNanos;
    }
    long nextMs = outbox.nextWakeupMs;
    if (!core.isInTouch() && !isolated) {
      nextMs = Math.min(nextMs, outOfTouchSinceMs + settings.isolatedAfterMs());
    }
    long nextNanos = NEVER;
    if (core.acceptsProposals()) {
      nextNanos = keepAlives.dueNanos();
      long remainingMs = pulses.remainingMs(view(), core.clusterTimeMs(nowMs));
      if (remainingMs != NEVER) {
        nextMs = Math.min(nextMs, nowMs + Math.max(remainingMs, 0));
      }
    }
    if (nextMs != NEVER) {
      nextNanos = Math.min(nextNanos, nextMs * NANOS_PER_MS);
    }
    return Math.max(nowNanos, Math.min(nextNanos, reads.deadlineNanos()));
  }

  // Details.

  /**
   * When to give up a read that is safe, but whose entry is not applied yet. A leader has the
   * entry; another member may be cut off before it comes.
   */
  private long giveUpReadNanos() {
    return core.isLeader() ? NEVER : nowNanos + settings.raft().electionTimeoutMs() * NANOS_PER_MS;
  }

  private void setNow(long presentNanos) {
    nowNanos = presentNanos;
    nowMs = Math.floorDiv(presentNanos, NANOS_PER_MS);
  }

  private void tellLateness(long lateNanos) {
    metrics.loop().stalled(lateNanos);
    long lateMs = lateNanos / NANOS_PER_MS;
    if (lateMs >= settings.raft().electionTimeoutMs() / 2) {
      log.warn(
          "member {}: could not run for {} ms: a pause, or too little processor", self, lateMs);
    }
  }

  private MachineView view() {
    return applier.view();
  }

  private int pendingCalls() {
    return pending.unapplied() + reads.size();
  }

  private NodeException notLeader() {
    return NodeException.notLeader(board.leadership().leader());
  }

  /** Why nothing can be proposed. */
  private NodeException noProposals() {
    if (!core.isLeader()) {
      return notLeader();
    }
    return core.membership().isFounding() ? NodeException.notBegun() : NodeException.handingOver();
  }

  private void refuse(LoopInput.Call call, NodeException why) {
    if (!why.limit().isEmpty()) {
      metrics.limits().refused(why.limit());
    }
    replies.add(() -> call.reject(why));
  }

  private void publishStatus() {
    publishedMs = nowMs;
    RaftStatus raft = core.status();
    board.status(
        new NodeStatus(raft, nowMs, view().leaseCount(), view().lockCount(), view().waiterCount()));
    metrics.raft().indexes(raft.last(), raft.durable(), raft.committed(), raft.applied());
    metrics.raft().role(raft.role().name(), raft.term(), !raft.leader().isNone());
    metrics.raft().proposalsPending(pending.unapplied());
    if (raft.followers().isEmpty()) {
      metrics.raft().noFollowers();
    }
    for (RaftStatus.FollowerStatus follower : raft.followers()) {
      metrics
          .raft()
          .follower(
              follower.member().value(),
              raft.last() - follower.match(),
              nowMs - follower.lastHeardMs());
    }
    snapshots.publish();
    metrics.leases().active(view().leaseCount());
    metrics.locks().present(view().lockCount(), view().waiterCount());
  }
}

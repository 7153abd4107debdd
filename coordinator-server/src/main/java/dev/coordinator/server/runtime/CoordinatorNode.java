// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.ports.LeaderDirectory;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.MembershipChange;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.SnapshotMeta;
import dev.coordinator.server.wire.CommandCodec;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * The thread-safe face of one member: commands, reads, keep-alives, watches and its state. No
 * method blocks, and those that return a future tell every failure of the cluster through it, as a
 * {@link NodeException}.
 */
public final class CoordinatorNode implements LeaderDirectory {

  private final Mailbox mailbox;
  private final NodeBoard board;
  private final WatchHub watches;

  public CoordinatorNode(NodeLoop loop) {
    this.mailbox = loop.mailbox();
    this.board = loop.board();
    this.watches = loop.watches();
  }

  /** Encodes a command on the calling thread and queues it. */
  public PendingCall submit(Command command) {
    PendingCall call = new PendingCall();
    Leadership leadership = board.leadership();
    if (leadership.isLeader()) {
      offer(new LoopInput.Submission(command, CommandCodec.encode(command), call));
    } else {
      call.fail(NodeException.notLeader(leadership.leader()));
    }
    return call;
  }

  /**
   * Takes a waiting AcquireLock back, if it still waits; its future then ends with WaitCancelled.
   * If the lock was granted in the meantime, the future tells that instead, and the lock is held.
   */
  public void cancelWait(String lockName, PendingCall call) {
    call.cancel();
    if (!call.future().isDone()) {
      mailbox.put(new LoopInput.Cancellation(lockName, call));
    }
  }

  /**
   * Renews leases together with those of other callers. Only a leader does.
   *
   * @throws IllegalArgumentException if an id is none that a lease can have
   */
  public CompletableFuture<Answered<List<Outcome.Renewal>>> keepAlive(List<Long> leaseIds) {
    // Checked here, where only the caller suffers, and not when the ids of many become one command.
    new Command.RenewLeases(leaseIds);
    LoopInput.KeepAlive call = new LoopInput.KeepAlive(leaseIds);
    offerIfLeader(call);
    return call.future;
  }

  /**
   * Answers a linearizable read: the function runs on the loop once a majority has confirmed the
   * leader, and this member, which may be another, has applied what was committed by then (§6.4).
   * It must be short, and must not keep the view.
   */
  public <T> CompletableFuture<Answered<T>> read(Function<MachineView, T> query) {
    LoopInput.Read<T> call = new LoopInput.Read<>(query, false);
    offer(call);
    return call.future;
  }

  /** Answers a read from this member's own state, however old that is. */
  public <T> CompletableFuture<Answered<T>> staleRead(Function<MachineView, T> query) {
    LoopInput.Read<T> call = new LoopInput.Read<>(query, true);
    offer(call);
    return call.future;
  }

  /**
   * Changes who belongs to the cluster (§4). Only a leader does. The future ends, with the new
   * configuration, when the change is complete and committed.
   */
  public CompletableFuture<Answered<Membership>> changeMembership(MembershipChange change) {
    LoopInput.ChangeMembership call = new LoopInput.ChangeMembership(change);
    offerIfLeader(call);
    return call.future;
  }

  /**
   * Hands leadership over (§3.10). Only a leader does. The future ends when another member leads,
   * and names it.
   *
   * @param target {@link NodeId#NONE} for the voter that has most of the log
   */
  public CompletableFuture<Answered<NodeId>> transferLeadership(NodeId target) {
    LoopInput.TransferLeadership call = new LoopInput.TransferLeadership(target);
    offerIfLeader(call);
    return call.future;
  }

  /**
   * Takes a snapshot of this member's present state, whether one is due or not. The future ends
   * when it is durable.
   */
  public CompletableFuture<SnapshotMeta> takeSnapshot() {
    LoopInput.TakeSnapshot call = new LoopInput.TakeSnapshot();
    offer(call);
    return call.future;
  }

  /**
   * Watches locks. Any member can, from its own copy of the log. Refusals, too, come through the
   * listener; {@link WatchHub.Subscription#pull} gives nothing before it is told that it may.
   */
  public WatchHub.Subscription watch(WatchSpec spec, WatchHub.Listener listener) {
    WatchHub.Watch watch = watches.watch(spec, listener);
    if (spec.initialState()) {
      offer(new LoopInput.InitialState(watch));
    } else {
      watch.start();
    }
    return watch;
  }

  /** The state of this member a moment ago. */
  public NodeStatus status() {
    return board.status();
  }

  @Override
  public boolean isLeader() {
    return board.leadership().isLeader();
  }

  @Override
  public NodeId leader() {
    return board.leadership().leader();
  }

  @Override
  public Membership membership() {
    return board.membership();
  }

  private void offerIfLeader(LoopInput.Call call) {
    Leadership leadership = board.leadership();
    if (leadership.isLeader()) {
      offer(call);
    } else {
      call.reject(NodeException.notLeader(leadership.leader()));
    }
  }

  private void offer(LoopInput.Call call) {
    if (!mailbox.offer(call)) {
      call.reject(mailbox.refusal(board.leadership().leader()));
    }
  }
}

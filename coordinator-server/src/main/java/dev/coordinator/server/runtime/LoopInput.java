// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.CoordinatorMachine;
import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.MembershipChange;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.Outbox;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.Sender;
import dev.coordinator.server.raft.SnapshotMeta;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * Something that happened outside and that the node loop must know. Put into the {@link Mailbox}
 * once; the field {@code next} chains it there without another object.
 */
abstract sealed class LoopInput {

  /** The input before it, then after it; belongs to the mailbox. */
  LoopInput next;

  /** Calls the method of the loop that takes this input. */
  abstract void deliverTo(NodeLoop loop);

  /** Tells the caller, if there is one, that the loop will never see this input. */
  void reject(NodeException why) {}

  /** A call of a client: it is counted against the capacity of the mailbox. */
  abstract static sealed class Call extends LoopInput {}

  /** A command to propose. */
  static final class Submission extends Call {
    final Command command;
    final byte[] payload;
    final PendingCall call;

    Submission(Command command, byte[] payload, PendingCall call) {
      this.command = command;
      this.payload = payload;
      this.call = call;
    }

    @Override
    void deliverTo(NodeLoop loop) {
      loop.submitted(this);
    }

    @Override
    void reject(NodeException why) {
      call.fail(why);
    }
  }

  /** Leases to renew together with those of other callers. */
  static final class KeepAlive extends Call {
    final List<Long> leaseIds;
    final CompletableFuture<Answered<List<Outcome.Renewal>>> future = new CompletableFuture<>();

    KeepAlive(List<Long> leaseIds) {
      this.leaseIds = leaseIds;
    }

    @Override
    void deliverTo(NodeLoop loop) {
      loop.keepAliveAsked(this);
    }

    @Override
    void reject(NodeException why) {
      future.completeExceptionally(why);
    }
  }

  /** A read. */
  static final class Read<T> extends Call {
    final Function<MachineView, T> query;

    /** Whether it may be answered from this member's own state, however old. */
    final boolean stale;

    final CompletableFuture<Answered<T>> future = new CompletableFuture<>();

    /** When the loop took it; set there. */
    long takenNanos;

    Read(Function<MachineView, T> query, boolean stale) {
      this.query = query;
      this.stale = stale;
    }

    @Override
    void deliverTo(NodeLoop loop) {
      loop.readAsked(this);
    }

    @Override
    void reject(NodeException why) {
      future.completeExceptionally(why);
    }
  }

  /** A watch that begins with the present state of what it watches. */
  static final class InitialState extends Call {
    final WatchHub.Watch watch;

    InitialState(WatchHub.Watch watch) {
      this.watch = watch;
    }

    @Override
    void deliverTo(NodeLoop loop) {
      loop.initialStateAsked(watch);
    }

    @Override
    void reject(NodeException why) {
      watch.end(why);
    }
  }

  /** A change of the members. */
  static final class ChangeMembership extends Call {
    final MembershipChange change;
    final CompletableFuture<Answered<Membership>> future = new CompletableFuture<>();

    ChangeMembership(MembershipChange change) {
      this.change = change;
    }

    @Override
    void deliverTo(NodeLoop loop) {
      loop.changeAsked(this);
    }

    @Override
    void reject(NodeException why) {
      future.completeExceptionally(why);
    }
  }

  /** A transfer of leadership. */
  static final class TransferLeadership extends Call {
    final NodeId target;
    final CompletableFuture<Answered<NodeId>> future = new CompletableFuture<>();

    TransferLeadership(NodeId target) {
      this.target = target;
    }

    @Override
    void deliverTo(NodeLoop loop) {
      loop.transferAsked(this);
    }

    @Override
    void reject(NodeException why) {
      future.completeExceptionally(why);
    }
  }

  /** A snapshot that somebody asks for. */
  static final class TakeSnapshot extends Call {
    final CompletableFuture<SnapshotMeta> future = new CompletableFuture<>();

    @Override
    void deliverTo(NodeLoop loop) {
      loop.snapshotAsked(this);
    }

    @Override
    void reject(NodeException why) {
      future.completeExceptionally(why);
    }
  }

  /** The caller of a waiting AcquireLock gave up. */
  static final class Cancellation extends LoopInput {
    final String lockName;
    final PendingCall call;

    Cancellation(String lockName, PendingCall call) {
      this.lockName = lockName;
      this.call = call;
    }

    @Override
    void deliverTo(NodeLoop loop) {
      loop.cancelled(this);
    }
  }

  /** A message of a peer. */
  static final class PeerMessage extends LoopInput {
    final Sender sender;
    final RaftMessage message;

    PeerMessage(Sender sender, RaftMessage message) {
      this.sender = sender;
      this.message = message;
    }

    @Override
    void deliverTo(NodeLoop loop) {
      loop.received(sender, message);
    }
  }

  /** Write batches up to this number are durable. */
  static final class Persisted extends LoopInput {
    final long batch;

    Persisted(long batch) {
      this.batch = batch;
    }

    @Override
    void deliverTo(NodeLoop loop) {
      loop.persisted(batch);
    }
  }

  /** The connection to a peer broke. */
  static final class Disconnected extends LoopInput {
    final NodeId peer;

    Disconnected(NodeId peer) {
      this.peer = peer;
    }

    @Override
    void deliverTo(NodeLoop loop) {
      loop.disconnected(peer);
    }
  }

  /** A snapshot that this member took is durable. */
  static final class SnapshotSaved extends LoopInput {
    final SnapshotMeta snapshot;

    SnapshotSaved(SnapshotMeta snapshot) {
      this.snapshot = snapshot;
    }

    @Override
    void deliverTo(NodeLoop loop) {
      loop.snapshotSaved(snapshot);
    }
  }

  /** A part of a snapshot was read for a follower. */
  static final class ChunkRead extends LoopInput {
    final RaftMessage.InstallSnapshot chunk;

    ChunkRead(RaftMessage.InstallSnapshot chunk) {
      this.chunk = chunk;
    }

    @Override
    void deliverTo(NodeLoop loop) {
      loop.chunkRead(chunk);
    }
  }

  /** A snapshot of which a part was to be read is no longer there. */
  static final class SnapshotGone extends LoopInput {
    final Outbox.ChunkRequest request;

    SnapshotGone(Outbox.ChunkRequest request) {
      this.request = request;
    }

    @Override
    void deliverTo(NodeLoop loop) {
      loop.snapshotGone(request);
    }
  }

  /** A snapshot that was to be copied turned out to be damaged. */
  static final class SnapshotDamaged extends LoopInput {
    final LogPosition last;

    SnapshotDamaged(LogPosition last) {
      this.last = last;
    }

    @Override
    void deliverTo(NodeLoop loop) {
      loop.snapshotDamaged(last);
    }
  }

  /** A part of a snapshot of the leader's was stored, or did not fit. */
  static final class ChunkStored extends LoopInput {
    final RaftMessage.InstallSnapshot chunk;
    final long nextOffset;

    ChunkStored(RaftMessage.InstallSnapshot chunk, long nextOffset) {
      this.chunk = chunk;
      this.nextOffset = nextOffset;
    }

    @Override
    void deliverTo(NodeLoop loop) {
      loop.chunkStored(chunk, nextOffset);
    }
  }

  /** A snapshot of the leader's is whole. */
  static final class SnapshotReceived extends LoopInput {
    final RaftMessage.InstallSnapshot last;
    final CoordinatorMachine machine;

    SnapshotReceived(RaftMessage.InstallSnapshot last, CoordinatorMachine machine) {
      this.last = last;
      this.machine = machine;
    }

    @Override
    void deliverTo(NodeLoop loop) {
      loop.snapshotReceived(last, machine);
    }
  }

  /** Storage cannot be trusted any longer. */
  static final class Failed extends LoopInput {
    final Throwable cause;

    Failed(Throwable cause) {
      this.cause = cause;
    }

    @Override
    void deliverTo(NodeLoop loop) {
      throw new MemberFailure("storage failed", cause);
    }
  }

  /** Stands at the end of a closed mailbox; never delivered. */
  static final class Closed extends LoopInput {
    @Override
    void deliverTo(NodeLoop loop) {
      throw new AssertionError("a closed mailbox delivers nothing");
    }
  }
}

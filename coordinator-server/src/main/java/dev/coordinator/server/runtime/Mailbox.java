// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.CoordinatorMachine;
import dev.coordinator.server.metrics.LoopMetrics;
import dev.coordinator.server.ports.Inbox;
import dev.coordinator.server.ports.SnapshotInbox;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.Outbox;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.Sender;
import dev.coordinator.server.raft.SnapshotMeta;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The one way into the node loop: many threads put inputs in, the loop takes them out in order.
 *
 * <p>Inputs form a chain with the newest one first, onto which a putting thread swings itself with
 * one compare-and-set. The loop takes the whole chain at once and turns it round, so that a round
 * costs it one atomic operation however many inputs came. An input is put in once, so the same
 * chain head never comes back.
 *
 * <p>Calls of clients are refused and messages of peers dropped when too many are waiting; what
 * storage and transport report is always taken.
 */
public final class Mailbox implements Inbox, SnapshotInbox {

  private static final LoopInput CLOSED = new LoopInput.Closed();

  private final int maxCalls;
  private final int maxMessages;
  private final LoopMetrics metrics;
  private final AtomicReference<LoopInput> newest = new AtomicReference<>();
  private final AtomicInteger calls = new AtomicInteger();
  private final AtomicInteger messages = new AtomicInteger();

  /** What the loop has taken but not yet delivered, oldest first. Only the loop uses it. */
  private LoopInput taken;

  private volatile Runnable onInput = () -> {};

  /**
   * @param maxCalls calls of clients that may wait
   * @param maxMessages messages of peers that may wait
   */
  public Mailbox(int maxCalls, int maxMessages, LoopMetrics metrics) {
    this.maxCalls = maxCalls;
    this.maxMessages = maxMessages;
    this.metrics = metrics;
    metrics.mailboxDepth(this::depth);
  }

  /** Sets what is called, on the putting thread, whenever an input arrives in an empty mailbox. */
  public void onInput(Runnable listener) {
    onInput = listener;
  }

  @Override
  public void receive(Sender sender, RaftMessage message) {
    if (messages.incrementAndGet() > maxMessages) {
      messages.decrementAndGet();
      metrics.messageDropped();
      return;
    }
    put(new LoopInput.PeerMessage(sender, message));
  }

  @Override
  public void persisted(long batch) {
    put(new LoopInput.Persisted(batch));
  }

  @Override
  public void disconnected(NodeId peer) {
    put(new LoopInput.Disconnected(peer));
  }

  @Override
  public void snapshotSaved(SnapshotMeta snapshot) {
    put(new LoopInput.SnapshotSaved(snapshot));
  }

  @Override
  public void chunkRead(RaftMessage.InstallSnapshot chunk) {
    put(new LoopInput.ChunkRead(chunk));
  }

  @Override
  public void snapshotGone(Outbox.ChunkRequest request) {
    put(new LoopInput.SnapshotGone(request));
  }

  @Override
  public void snapshotDamaged(LogPosition last) {
    put(new LoopInput.SnapshotDamaged(last));
  }

  @Override
  public void chunkStored(RaftMessage.InstallSnapshot chunk, long nextOffset) {
    put(new LoopInput.ChunkStored(chunk, nextOffset));
  }

  @Override
  public void snapshotReceived(RaftMessage.InstallSnapshot last, CoordinatorMachine machine) {
    put(new LoopInput.SnapshotReceived(last, machine));
  }

  @Override
  public void failed(Throwable cause) {
    put(new LoopInput.Failed(cause));
  }

  /** Puts a client's call in, unless too many wait or the mailbox is closed. */
  boolean offer(LoopInput.Call call) {
    if (calls.incrementAndGet() > maxCalls) {
      calls.decrementAndGet();
      metrics.callRejected();
      return false;
    }
    return put(call);
  }

  /** Puts an input in whatever waits. Returns false if the mailbox is closed. */
  boolean put(LoopInput input) {
    LoopInput before;
    do {
      before = newest.get();
      if (before == CLOSED) {
        return false;
      }
      input.next = before;
    } while (!newest.compareAndSet(before, input));
    if (before == null) {
      onInput.run();
    }
    return true;
  }

  /** Delivers up to {@code limit} inputs. Only the loop calls this. */
  void deliverTo(NodeLoop loop, int limit) {
    for (int i = 0; i < limit; i++) {
      LoopInput input = take();
      if (input == null) {
        return;
      }
      input.deliverTo(loop);
    }
  }

  /** Whether nothing waits. Only the loop's thread may ask. */
  boolean isEmpty() {
    return taken == null && newest.get() == null;
  }

  /** Takes nothing more, and rejects what waits. Only the loop's thread may close. */
  void close(NodeException why) {
    LoopInput chain = newest.getAndSet(CLOSED);
    if (chain == CLOSED) {
      return;
    }
    for (LoopInput input = taken; input != null; input = input.next) {
      input.reject(why);
    }
    taken = null;
    for (LoopInput input = reversed(chain); input != null; input = input.next) {
      input.reject(why);
    }
    calls.set(0);
    messages.set(0);
  }

  /** Why an offer was turned down. */
  NodeException refusal(NodeId leader) {
    return newest.get() == CLOSED
        ? NodeException.notLeader(NodeId.NONE)
        : NodeException.overloaded(leader, NodeLimits.QUEUED_INPUTS, maxCalls);
  }

  /** Takes the oldest input, or null. */
  LoopInput take() {
    if (taken == null) {
      // A look first: an atomic exchange would take the cache line from the putting threads.
      if (newest.get() == null || newest.get() == CLOSED) {
        return null;
      }
      taken = reversed(newest.getAndSet(null));
    }
    LoopInput input = taken;
    taken = input.next;
    input.next = null;
    if (input instanceof LoopInput.Call) {
      calls.decrementAndGet();
    } else if (input instanceof LoopInput.PeerMessage) {
      messages.decrementAndGet();
    }
    return input;
  }

  private static LoopInput reversed(LoopInput chain) {
    LoopInput turned = null;
    while (chain != null) {
      LoopInput rest = chain.next;
      chain.next = turned;
      turned = chain;
      chain = rest;
    }
    return turned;
  }

  private int depth() {
    return Math.max(0, calls.get()) + Math.max(0, messages.get());
  }
}

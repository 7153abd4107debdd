// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.metrics.RaftMetrics;
import dev.coordinator.server.raft.Outbox;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * Linearizable reads on their way. Those that arrive in one round of the loop share one read of the
 * core, and so one proof that this member still leads (§6.4).
 */
final class PendingReads {

  /**
   * Reads that are safe once {@code index} is applied, which may never be here if this member is
   * cut off: then they are given up at {@code deadlineNanos}.
   */
  private record Safe(long index, long deadlineNanos, List<LoopInput.Read<?>> reads) {}

  private final Replies replies;
  private final RaftMetrics metrics;
  private final Map<Long, List<LoopInput.Read<?>>> unconfirmed = new LinkedHashMap<>();
  private final PriorityQueue<Safe> safe =
      new PriorityQueue<>((a, b) -> Long.compare(a.index(), b.index()));
  private List<LoopInput.Read<?>> gathered = new ArrayList<>();
  private long lastId;
  private int count;

  PendingReads(Replies replies, RaftMetrics metrics) {
    this.replies = replies;
    this.metrics = metrics;
  }

  void add(LoopInput.Read<?> read) {
    gathered.add(read);
    count++;
  }

  boolean hasGathered() {
    return !gathered.isEmpty();
  }

  /** Files what has been gathered. Returns the id to ask the core with. */
  long next() {
    unconfirmed.put(++lastId, gathered);
    gathered = new ArrayList<>();
    return lastId;
  }

  void confirmed(Outbox.SafeRead read, long deadlineNanos) {
    List<LoopInput.Read<?>> reads = unconfirmed.remove(read.id());
    if (reads != null) {
      safe.add(new Safe(read.index(), deadlineNanos, reads));
    }
  }

  /** When the first read that waits for an entry to be applied is to be given up. */
  long deadlineNanos() {
    long first = Long.MAX_VALUE;
    for (Safe waiting : safe) {
      first = Math.min(first, waiting.deadlineNanos());
    }
    return first;
  }

  /** Gives up the reads whose entry was not applied in time. */
  void giveUp(long nowNanos, NodeException why) {
    for (Iterator<Safe> i = safe.iterator(); i.hasNext(); ) {
      Safe waiting = i.next();
      if (waiting.deadlineNanos() <= nowNanos) {
        i.remove();
        fail(waiting.reads(), why);
      }
    }
  }

  void refused(long id, NodeException why) {
    List<LoopInput.Read<?>> reads = unconfirmed.remove(id);
    if (reads != null) {
      fail(reads, why);
    }
  }

  /** Runs the queries that are safe at the applied index. */
  void answer(MachineView view, Leadership leadership, long clusterTimeMs, long nowNanos) {
    while (!safe.isEmpty() && safe.peek().index() <= view.appliedIndex()) {
      List<LoopInput.Read<?>> reads = safe.remove().reads();
      count -= reads.size();
      for (LoopInput.Read<?> read : reads) {
        metrics.readAnswered(nowNanos - read.takenNanos);
        answerNow(read, view, leadership, clusterTimeMs);
      }
    }
  }

  void failAll(NodeException why) {
    fail(gathered, why);
    gathered = new ArrayList<>();
    unconfirmed.values().forEach(reads -> fail(reads, why));
    unconfirmed.clear();
    safe.forEach(waiting -> fail(waiting.reads(), why));
    safe.clear();
  }

  int size() {
    return count;
  }

  /** Runs a query that is safe, or does not have to be. */
  <T> void answerNow(
      LoopInput.Read<T> read, MachineView view, Leadership leadership, long clusterTimeMs) {
    try {
      Answered<T> answer = leadership.answer(read.query.apply(view), view, clusterTimeMs);
      replies.add(() -> read.future.complete(answer));
    } catch (RuntimeException faultOfQuery) {
      // The state is untouched by a query, so this is the caller's misfortune alone.
      replies.add(() -> read.future.completeExceptionally(faultOfQuery));
    }
  }

  private void fail(List<LoopInput.Read<?>> reads, NodeException why) {
    count -= reads.size();
    metrics.readsFailed(reads.size());
    for (LoopInput.Read<?> read : reads) {
      replies.add(() -> read.reject(why));
    }
  }
}

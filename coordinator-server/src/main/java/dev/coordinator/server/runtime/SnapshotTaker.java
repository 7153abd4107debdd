// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.CoordinatorMachine;
import dev.coordinator.server.metrics.RaftMetrics;
import dev.coordinator.server.ports.SnapshotStore;
import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftCore;
import dev.coordinator.server.raft.SnapshotMeta;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a snapshot whenever enough was applied since the one before, that one was lost, or somebody
 * asks: one at a time, written elsewhere while the machine goes on.
 */
final class SnapshotTaker {

  private static final Logger log = LoggerFactory.getLogger(SnapshotTaker.class);

  private final NodeId self;
  private final SnapshotThresholds thresholds;
  private final SnapshotStore store;
  private final RaftMetrics metrics;
  private final Replies replies;

  /** The newest one that is durable, or null. */
  private SnapshotMeta newest;

  /** A durable one before the newest, null if none is known. */
  private SnapshotMeta older;

  /** The one that is being written, or null. */
  private SnapshotMeta underWay;

  private long sinceNanos;

  /** Whether the newest one was lost, and none has taken its place. */
  private boolean lost;

  // What was applied since the newest one was begun.
  private long entries;
  private long bytes;

  /** Who waits for the one under way. */
  private List<LoopInput.TakeSnapshot> waiting = new ArrayList<>();

  /** Who asked after that one was begun, and so waits for the next. */
  private List<LoopInput.TakeSnapshot> asking = new ArrayList<>();

  /**
   * @param newest the one that this member starts from, or null
   */
  SnapshotTaker(
      NodeId self,
      SnapshotMeta newest,
      SnapshotThresholds thresholds,
      SnapshotStore store,
      RaftMetrics metrics,
      Replies replies) {
    this.self = self;
    this.newest = newest;
    this.thresholds = thresholds;
    this.store = store;
    this.metrics = metrics;
    this.replies = replies;
  }

  void applied(Entry entry) {
    entries++;
    bytes += entry.payload().length;
  }

  void ask(LoopInput.TakeSnapshot call) {
    asking.add(call);
  }

  /**
   * A durable one cannot be used any more. If it is the newest one, followers may be waiting for
   * it, so that another takes its place at once. If it is the older one, the log stays as it is.
   */
  void lost(LogPosition last) {
    if (newest != null && newest.last().equals(last)) {
      log.warn("member {}: takes another snapshot, that up to entry {} is gone", self, last);
      newest = null;
      lost = true;
    } else if (older != null && older.last().equals(last)) {
      older = null;
    }
  }

  /** Begins a snapshot of what is applied if one is due. */
  void takeIfDue(RaftCore core, CoordinatorMachine machine, long nowNanos) {
    boolean full = entries >= thresholds.entries() || bytes >= thresholds.bytes();
    if (underWay != null || !full && !lost && asking.isEmpty()) {
      return;
    }
    long applied = machine.view().appliedIndex();
    if (applied == 0) {
      // A member that was not added yet may never be; others have what whoever asks wants.
      failAll(NodeException.notLeader(NodeId.NONE));
      return;
    }
    waiting = asking;
    asking = new ArrayList<>();
    if (newest != null && newest.index() == applied) {
      answer(newest);
      return;
    }
    SnapshotMeta meta = core.snapshotMeta();
    underWay = meta;
    sinceNanos = nowNanos;
    entries = 0;
    bytes = 0;
    store.save(meta, machine.freeze());
  }

  /** The one under way is durable. */
  void saved(SnapshotMeta meta, long nowNanos) {
    long tookNanos = nowNanos - sinceNanos;
    log.info(
        "member {}: snapshot up to entry {} taken in {} ms",
        self,
        meta.last(),
        tookNanos / 1_000_000);
    underWay = null;
    become(meta);
    answer(meta);
  }

  /** One of the leader's has replaced everything that was applied here. */
  void installed(SnapshotMeta meta) {
    entries = 0;
    bytes = 0;
    become(meta);
  }

  private void become(SnapshotMeta meta) {
    if (newest == null) {
      newest = meta;
      lost = false;
    } else if (meta.index() > newest.index()) {
      older = newest;
      newest = meta;
    }
  }

  /**
   * How far the log on disk may go: should the newest snapshot turn out to be damaged, the older
   * one and the log behind it take its place.
   *
   * @param compactedTo up to where the log in memory is gone
   * @return 0 if all of it has to stay
   */
  long droppableTo(long compactedTo) {
    return older == null ? 0 : Math.min(compactedTo, older.index());
  }

  private void answer(SnapshotMeta meta) {
    for (LoopInput.TakeSnapshot call : waiting) {
      replies.add(() -> call.future.complete(meta));
    }
    waiting = new ArrayList<>();
  }

  void failAll(NodeException why) {
    waiting.addAll(asking);
    for (LoopInput.TakeSnapshot call : waiting) {
      replies.add(() -> call.reject(why));
    }
    waiting.clear();
    asking.clear();
  }

  void publish() {
    metrics.afterSnapshot(entries, bytes);
  }
}

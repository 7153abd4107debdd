// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.ports.Inbox;
import dev.coordinator.server.ports.LogStore;
import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.RestoredState;
import dev.coordinator.server.raft.WriteBatch;
import dev.coordinator.server.storage.LogIdentity;
import dev.coordinator.server.storage.RecoverableLog;
import dev.coordinator.server.storage.SegmentedLog;
import dev.coordinator.server.storage.SegmentedLogConfig;
import dev.coordinator.server.storage.SimulatedDisk;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * The real write-ahead log of one life of a member, on its simulated disk. What the log writer's
 * thread does in production, the schedule does here: it gathers, writes, syncs late, reports.
 */
final class SimulatedLog implements LogStore {

  private final Schedule schedule;
  private final LongSupplier syncNanos;
  private final Consumer<WriteBatch> durable;
  private final SegmentedLog log;
  private final List<WriteBatch> waiting = new ArrayList<>();

  /** The entries as written, in order of index, without those up to {@link #base}. */
  private final List<Entry> entries = new ArrayList<>();

  private LogPosition base;
  private Inbox inbox;
  private long appended;
  private long droppable;
  private long dropAfter;
  private boolean writing;
  private boolean dead;
  private boolean failed;

  /**
   * @param syncNanos how long the next write takes
   * @param durable gets each batch that is, before the member hears of it
   */
  SimulatedLog(
      Schedule schedule,
      SimulatedDisk disk,
      LogIdentity identity,
      SegmentedLogConfig config,
      LongSupplier syncNanos,
      Consumer<WriteBatch> durable)
      throws IOException {
    this.schedule = schedule;
    this.syncNanos = syncNanos;
    this.durable = durable;
    this.log = SegmentedLog.open(disk, identity, config, Runnable::run);
  }

  RecoverableLog recoverable() {
    return log;
  }

  /** Begins to write, behind what was recovered; what happens is reported to the inbox. */
  void start(RestoredState restored, Inbox reports) {
    base = restored.base();
    entries.addAll(restored.entries());
    inbox = reports;
  }

  /** Null if it is not in the log, as a snapshot stands for it. */
  Entry entry(long index) {
    return index <= base.index() ? null : entries.get((int) (index - base.index()) - 1);
  }

  /** The term of an entry in the log, or of the one that it begins behind. */
  long termAt(long index) {
    return index == base.index() ? base.term() : entry(index).term();
  }

  /** Whether a write failed: the member has been told and must not go on. */
  boolean hasFailed() {
    return failed;
  }

  /** Nothing more is written or reported. */
  void die() {
    dead = true;
  }

  @Override
  public void append(WriteBatch batch) {
    if (dead || failed) {
      return;
    }
    if (batch.base() != null) {
      base = batch.base();
      entries.clear();
    }
    if (!batch.entries().isEmpty()) {
      int from = (int) (batch.entries().get(0).index() - base.index()) - 1;
      entries.subList(from, entries.size()).clear();
      entries.addAll(batch.entries());
    }
    appended = batch.number();
    waiting.add(batch);
    writeNext();
  }

  @Override
  public void dropUpTo(long index) {
    droppable = Math.max(droppable, index);
    dropAfter = appended;
    if (!writing && waiting.isEmpty()) {
      attempt(() -> dropIfWritten(appended));
    }
  }

  /** Not before the batches that were appended before. */
  private void dropIfWritten(long number) throws IOException {
    if (droppable > 0 && number >= dropAfter) {
      log.dropUpTo(droppable);
      droppable = 0;
    }
  }

  private void writeNext() {
    if (writing || waiting.isEmpty() || dead || failed) {
      return;
    }
    writing = true;
    List<WriteBatch> group = List.copyOf(waiting);
    waiting.clear();
    attempt(() -> log.write(group));
    schedule.after(syncNanos.getAsLong(), () -> sync(group));
  }

  private void sync(List<WriteBatch> group) {
    long number = group.get(group.size() - 1).number();
    attempt(
        () -> {
          log.sync();
          writing = false;
          group.forEach(durable);
          inbox.persisted(number);
          dropIfWritten(number);
        });
    writeNext();
  }

  private void attempt(Work work) {
    if (dead || failed) {
      return;
    }
    try {
      work.run();
    } catch (IOException e) {
      failed = true;
      inbox.failed(e);
    } catch (DiskFaults.Killed e) {
      die();
    }
  }

  private interface Work {
    void run() throws IOException;
  }
}

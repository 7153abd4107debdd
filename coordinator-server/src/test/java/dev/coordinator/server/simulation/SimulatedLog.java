// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.ports.Inbox;
import dev.coordinator.server.ports.LogStore;
import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.WriteBatch;
import dev.coordinator.server.storage.LogIdentity;
import dev.coordinator.server.storage.RecoveredLog;
import dev.coordinator.server.storage.SegmentedLog;
import dev.coordinator.server.storage.SegmentedLogConfig;
import dev.coordinator.server.storage.SimulatedDisk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The real write-ahead log of one life of a member, on its simulated disk. What the log writer's
 * thread does in production, the schedule does here: it gathers, writes, syncs late, reports.
 */
final class SimulatedLog implements LogStore {

  private static final SegmentedLogConfig SMALL_SEGMENTS =
      new SegmentedLogConfig(16 << 10, 8 << 10);

  private final Schedule schedule;
  private final long maxSyncNanos;
  private final SegmentedLog log;
  private final RecoveredLog recovered;
  private final List<WriteBatch> waiting = new ArrayList<>();

  /** The entries as written, in order of index. */
  private final List<Entry> entries;

  private Inbox inbox;
  private boolean writing;
  private boolean dead;

  SimulatedLog(Schedule schedule, Faults faults, SimulatedDisk disk, NodeId member)
      throws IOException {
    this.schedule = schedule;
    this.maxSyncNanos = faults.maxSyncMs() * 1_000_000;
    this.log =
        SegmentedLog.open(
            disk, new LogIdentity("simulated", member, 7), SMALL_SEGMENTS, Runnable::run);
    this.recovered = log.takeRecovered();
    this.entries = new ArrayList<>(recovered.entries());
  }

  RecoveredLog recovered() {
    return recovered;
  }

  void reportTo(Inbox reports) {
    inbox = reports;
  }

  Entry entry(long index) {
    return entries.get((int) index - 1);
  }

  /** Nothing more is written or reported. */
  void die() {
    dead = true;
  }

  @Override
  public void append(WriteBatch batch) {
    if (!batch.entries().isEmpty()) {
      int from = (int) batch.entries().get(0).index() - 1;
      entries.subList(from, entries.size()).clear();
      entries.addAll(batch.entries());
    }
    waiting.add(batch);
    writeNext();
  }

  private void writeNext() {
    if (writing || waiting.isEmpty()) {
      return;
    }
    writing = true;
    List<WriteBatch> group = List.copyOf(waiting);
    waiting.clear();
    try {
      log.write(group);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    schedule.after(
        schedule.delayNanos(200_000, maxSyncNanos),
        () -> {
          if (!dead) {
            sync(group.get(group.size() - 1).number());
          }
        });
  }

  private void sync(long number) {
    try {
      log.sync();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    writing = false;
    inbox.persisted(number);
    writeNext();
  }
}

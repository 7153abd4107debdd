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
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * The real write-ahead log of one life of a member, on its simulated disk. What the log writer's
 * thread does in production, the schedule does here: it gathers, writes, syncs late, reports.
 */
final class SimulatedLog implements LogStore {

  static final long SALT = 7;

  private final Schedule schedule;
  private final LongSupplier syncNanos;
  private final SegmentedLog log;
  private final RecoveredLog recovered;
  private final List<WriteBatch> waiting = new ArrayList<>();

  /** The entries as written, in order of index. */
  private final List<Entry> entries;

  private Inbox inbox;
  private boolean writing;
  private boolean dead;
  private boolean failed;

  /**
   * @param syncNanos how long the next write takes
   */
  SimulatedLog(
      Schedule schedule,
      SimulatedDisk disk,
      NodeId member,
      SegmentedLogConfig config,
      LongSupplier syncNanos)
      throws IOException {
    this.schedule = schedule;
    this.syncNanos = syncNanos;
    this.log = open(disk, member, config);
    this.recovered = log.takeRecovered();
    this.entries = new ArrayList<>(recovered.entries());
  }

  private static SegmentedLog open(SimulatedDisk disk, NodeId member, SegmentedLogConfig config)
      throws IOException {
    return SegmentedLog.open(
        disk, new LogIdentity("simulated", member, SALT), config, Runnable::run);
  }

  /** What a member would find on a disk, which stays as it is. */
  static RecoveredLog read(SimulatedDisk disk, NodeId member, SegmentedLogConfig config)
      throws IOException {
    return open(disk.copy(), member, config).takeRecovered();
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
      failed = true;
      inbox.failed(e);
      return;
    } catch (DiskFaults.Killed e) {
      die();
      return;
    }
    schedule.after(syncNanos.getAsLong(), () -> sync(group.get(group.size() - 1).number()));
  }

  private void sync(long number) {
    if (dead) {
      return;
    }
    try {
      log.sync();
    } catch (IOException e) {
      failed = true;
      inbox.failed(e);
      return;
    } catch (DiskFaults.Killed e) {
      die();
      return;
    }
    writing = false;
    inbox.persisted(number);
    writeNext();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.machine.CoordinatorMachine;
import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RestoredState;
import dev.coordinator.server.raft.SnapshotMeta;
import dev.coordinator.server.storage.RecoverableLog;
import dev.coordinator.server.storage.RecoveredLog;
import dev.coordinator.server.storage.StorageException;
import java.io.IOException;
import java.util.List;

/**
 * What a member starts with, put together from its newest snapshot and its log.
 *
 * @param machine goes on from the state of the snapshot, null if there is none
 * @param damaged what is wrong with newer snapshots, which the log made up for
 */
public record RecoveredState(
    RestoredState restored, CoordinatorMachine machine, List<StorageException> damaged) {

  /**
   * Reads both. A log that the snapshot does not lead into gives way to it, durably, before anybody
   * writes to it.
   *
   * @param bootstrap the configuration of a cluster that begins
   * @param incarnation which data directory both are of
   * @throws StorageException if entries are missing between the snapshot and the log
   */
  public static RecoveredState recover(
      Membership bootstrap, long incarnation, RecoverableLog log, SnapshotFiles snapshots)
      throws IOException {
    RecoveredLog recovered = log.takeRecovered();
    SnapshotFiles.Found found = snapshots.find();
    SnapshotFiles.Loaded snapshot = found.snapshot();
    LogPosition last = snapshot == null ? LogPosition.START : snapshot.meta().last();
    if (recovered.base().index() > last.index()) {
      throw gap(recovered, last, found.damaged());
    }
    SnapshotMeta meta = snapshot == null ? null : snapshot.meta();
    CoordinatorMachine machine = snapshot == null ? null : snapshot.machine();
    HardState hardState = atLeast(last.term(), recovered.hardState());
    LogPosition base = recovered.base();
    List<Entry> entries = recovered.entries();
    if (!leadsInto(last, recovered)) {
      log.beginAnew(hardState, last);
      base = last;
      entries = List.of();
    }
    return new RecoveredState(
        new RestoredState(bootstrap, hardState, meta, base, entries, incarnation),
        machine,
        found.damaged());
  }

  /** Whether the log has the very entry that is the last one of the snapshot (§5.3). */
  private static boolean leadsInto(LogPosition last, RecoveredLog log) {
    if (last.index() > log.lastIndex()) {
      return false;
    }
    long offset = last.index() - log.base().index();
    LogPosition there = offset == 0 ? log.base() : log.entries().get((int) offset - 1).position();
    return there.equals(last);
  }

  /**
   * A snapshot from a leader may be durable before the term it came in. The member has not voted in
   * a term that it does not remember.
   */
  private static HardState atLeast(long term, HardState hardState) {
    return hardState.term() >= term ? hardState : new HardState(term, NodeId.NONE);
  }

  private static StorageException gap(
      RecoveredLog log, LogPosition last, List<StorageException> damaged) {
    StringBuilder what = new StringBuilder();
    what.append("the log begins behind entry ").append(log.base().index());
    if (last.index() == 0) {
      what.append(", but there is no snapshot of what was before");
    } else {
      what.append(", but the snapshot ends with entry ").append(last.index());
    }
    damaged.forEach(e -> what.append("; ").append(e.getMessage()));
    return new StorageException(
        what
            + ". What is missing was safe on disk, and this member may have promised it to others,"
            + " so it must not start without it. If you have an exact copy of the data directory"
            + " from when the member last stopped, put it back. Otherwise keep the directory aside"
            + " and restore the member from the others: take it out of the cluster and add it again"
            + " with a new member id and an empty data directory.");
  }
}

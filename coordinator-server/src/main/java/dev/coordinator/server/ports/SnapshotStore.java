// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.ports;

import dev.coordinator.server.machine.MachineState;
import dev.coordinator.server.raft.Outbox;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.SnapshotMeta;

/**
 * Stable storage of snapshots. Every call returns at once; the work is done elsewhere, one piece
 * after the other, and {@link SnapshotInbox} hears of its end. {@link SnapshotInbox#failed} means
 * that it cannot be done.
 */
public interface SnapshotStore {

  /**
   * Writes a snapshot of this member's own state, also in the place of one up to the same entry
   * that is gone; {@link SnapshotInbox#snapshotSaved} reports it durable.
   */
  void save(SnapshotMeta meta, MachineState state);

  /**
   * Reads a part of a snapshot for a follower; {@link SnapshotInbox#chunkRead} brings the message
   * that carries it, or {@link SnapshotInbox#snapshotGone} tells that it is no longer there.
   */
  void read(Outbox.ChunkRequest request);

  /**
   * Stores a part that the leader sent. {@link SnapshotInbox#chunkStored} tells how much is there
   * by now, and {@link SnapshotInbox#snapshotReceived} that the snapshot is whole, checked and
   * durable.
   */
  void receive(RaftMessage.InstallSnapshot chunk);
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.ports;

import dev.coordinator.server.machine.CoordinatorMachine;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.Outbox;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.SnapshotMeta;

/** Where a {@link SnapshotStore} reports. Thread-safe; never blocks. */
public interface SnapshotInbox {

  /** A snapshot that this member took is durable. */
  void snapshotSaved(SnapshotMeta snapshot);

  /** A part of a snapshot was read, as the message that carries it. */
  void chunkRead(RaftMessage.InstallSnapshot chunk);

  /**
   * The snapshot that was to be read is gone: a newer one has taken its place, or it is damaged.
   */
  void snapshotGone(Outbox.ChunkRequest request);

  /** The snapshot up to this entry turned out to be damaged when it was to be copied. */
  void snapshotDamaged(LogPosition last);

  /**
   * A part of a snapshot that the leader sent was stored, or did not fit.
   *
   * @param nextOffset how much of that snapshot is there by now
   */
  void chunkStored(RaftMessage.InstallSnapshot chunk, long nextOffset);

  /**
   * A snapshot that the leader sent is whole, checked and durable.
   *
   * @param last the part that completed it
   * @param machine goes on from the state in the snapshot; nobody else has it
   */
  void snapshotReceived(RaftMessage.InstallSnapshot last, CoordinatorMachine machine);

  /** Storage cannot be trusted any longer: the member must stop. */
  void failed(Throwable cause);
}

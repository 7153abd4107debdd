// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.machine.MachineState;
import dev.coordinator.server.ports.SnapshotStore;
import dev.coordinator.server.raft.Outbox;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.SnapshotMeta;

/** Refuses to keep snapshots. */
final class NoSnapshots implements SnapshotStore {

  @Override
  public void save(SnapshotMeta meta, MachineState state) {
    throw new UnsupportedOperationException("snapshots are off");
  }

  @Override
  public void read(Outbox.ChunkRequest request) {
    throw new UnsupportedOperationException("snapshots are off");
  }

  @Override
  public void receive(RaftMessage.InstallSnapshot chunk) {
    throw new UnsupportedOperationException("snapshots are off");
  }
}

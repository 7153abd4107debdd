// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.CoordinatorMachine;
import dev.coordinator.server.machine.MachineState;
import dev.coordinator.server.ports.SnapshotInbox;
import dev.coordinator.server.ports.SnapshotStore;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.Outbox;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.SnapshotMeta;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.zip.CRC32C;

/**
 * The newest snapshot of one member, in memory. What travels between members is text that stands
 * for the state, which the receiver finds in {@code states}.
 */
final class MemorySnapshots implements SnapshotStore {

  static final int CHUNK_BYTES = 16;

  private final NodeId self;
  private final Map<LogPosition, MachineState> states;
  private final Queue<Runnable> waiting = new ArrayDeque<>();
  private SnapshotInbox inbox;
  private byte[] arriving = {};
  private SnapshotMeta arrivingMeta;

  SnapshotMeta meta;
  MachineState state;
  final List<SnapshotMeta> saved = new ArrayList<>();
  final List<SnapshotMeta> received = new ArrayList<>();

  /** Whether work waits for {@link #release}. */
  boolean held;

  /**
   * @param states of all members
   */
  MemorySnapshots(NodeId self, Map<LogPosition, MachineState> states) {
    this.self = self;
    this.states = states;
  }

  /** Reports to the next life of the member; what was under way is lost. */
  void reportTo(SnapshotInbox newInbox) {
    inbox = newInbox;
    waiting.clear();
    arrivingMeta = null;
  }

  void release() {
    held = false;
    while (!waiting.isEmpty()) {
      waiting.remove().run();
    }
  }

  /** Its file is damaged; whoever needs it finds that out. */
  void lose() {
    meta = null;
    state = null;
  }

  private void work(Runnable task) {
    if (held) {
      waiting.add(task);
    } else {
      task.run();
    }
  }

  @Override
  public void save(SnapshotMeta newMeta, MachineState newState) {
    work(
        () -> {
          saved.add(newMeta);
          keep(newMeta, newState);
          inbox.snapshotSaved(newMeta);
        });
  }

  private void keep(SnapshotMeta newMeta, MachineState newState) {
    states.put(newMeta.last(), newState);
    if (meta == null || newMeta.index() > meta.index()) {
      meta = newMeta;
      state = newState;
    }
  }

  @Override
  public void read(Outbox.ChunkRequest request) {
    work(
        () -> {
          if (meta == null || !meta.equals(request.snapshot())) {
            inbox.snapshotGone(request);
            return;
          }
          byte[] whole = bytes(meta);
          int from = (int) request.offset();
          byte[] data = Arrays.copyOfRange(whole, from, Math.min(whole.length, from + CHUNK_BYTES));
          inbox.chunkRead(
              new RaftMessage.InstallSnapshot(
                  self,
                  request.to(),
                  request.term(),
                  meta,
                  whole.length,
                  from,
                  data,
                  checksum(data),
                  request.round(),
                  request.clusterTimeMs()));
        });
  }

  @Override
  public void receive(RaftMessage.InstallSnapshot chunk) {
    work(
        () -> {
          if (!chunk.snapshot().equals(arrivingMeta)) {
            arrivingMeta = chunk.snapshot();
            arriving = new byte[0];
          }
          if (chunk.offset() != arriving.length || chunk.checksum() != checksum(chunk.data())) {
            inbox.chunkStored(chunk, arriving.length);
            return;
          }
          int before = arriving.length;
          arriving = Arrays.copyOf(arriving, before + chunk.data().length);
          System.arraycopy(chunk.data(), 0, arriving, before, chunk.data().length);
          if (arriving.length < chunk.totalBytes()) {
            inbox.chunkStored(chunk, arriving.length);
            return;
          }
          if (!Arrays.equals(arriving, bytes(arrivingMeta))) {
            throw new AssertionError("the parts are not the whole");
          }
          received.add(arrivingMeta);
          keep(arrivingMeta, states.get(arrivingMeta.last()));
          arrivingMeta = null;
          inbox.snapshotReceived(
              chunk, new CoordinatorMachine(states.get(chunk.snapshot().last())));
        });
  }

  private static byte[] bytes(SnapshotMeta meta) {
    byte[] whole = new byte[5 * CHUNK_BYTES + 3];
    for (int i = 0; i < whole.length; i++) {
      whole[i] = (byte) (i * meta.index());
    }
    return whole;
  }

  private static int checksum(byte[] data) {
    CRC32C crc = new CRC32C();
    crc.update(data);
    return (int) crc.getValue();
  }
}

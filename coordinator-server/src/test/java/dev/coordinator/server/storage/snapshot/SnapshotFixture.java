// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.machine.LeaseState;
import dev.coordinator.server.machine.LeaseView;
import dev.coordinator.server.machine.ListedState;
import dev.coordinator.server.machine.LockState;
import dev.coordinator.server.machine.MachineState;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.Outbox;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.SnapshotMeta;
import dev.coordinator.server.storage.Disk;
import dev.coordinator.server.wire.SnapshotCodec;
import dev.coordinator.server.wire.SnapshotTables;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** What the tests of snapshots share: states that are easy to tell, and parts of their files. */
final class SnapshotFixture {

  static final NodeId LEADER = new NodeId(1);
  static final NodeId FOLLOWER = new NodeId(2);
  static final Membership MEMBERS = new Membership(List.of(LEADER, FOLLOWER, new NodeId(3)));

  /** So small that every file takes several parts. */
  static final SnapshotConfig SMALL = new SnapshotConfig(100, 1 << 20, 8);

  private SnapshotFixture() {}

  static SnapshotFiles open(Disk disk) throws IOException {
    return SnapshotFiles.open(disk, new SequentialSnapshotFormat(disk), SMALL);
  }

  static SnapshotMeta meta(long index, long term) {
    return new SnapshotMeta(new LogPosition(index, term), 1000 + index, MEMBERS, 0);
  }

  /** A few locks, the names of which tell the index. */
  static MachineState state(long index) {
    return state(index, 5);
  }

  static MachineState state(long index, int lockCount) {
    List<LockState> locks = new ArrayList<>(lockCount);
    for (int i = 0; i < lockCount; i++) {
      String name = String.format("lock-%d-%07d", index, i);
      locks.add(
          new LockState(
              name,
              new LockState.ClaimState(
                  1 + i % index,
                  1,
                  "owner",
                  "metadata of " + name,
                  1000,
                  1 + i % index,
                  LeaseView.NO_DEADLINE,
                  0,
                  0),
              List.of()));
    }
    LeaseState lease = new LeaseState(1, "owner", "nonce", 60_000, 1_000_000_000, 0, 0, List.of());
    return new ListedState(index, 1000 + index, List.of(lease), locks);
  }

  static void save(SnapshotFiles files, long index, long term) throws IOException {
    files.save(meta(index, term), state(index));
  }

  /** All rows, to compare snapshots by. */
  static String text(SnapshotFiles.Loaded snapshot) {
    return text(snapshot.meta(), snapshot.machine().freeze());
  }

  static String text(SnapshotMeta meta, MachineState state) {
    return text(SnapshotCodec.encode(meta, state));
  }

  static String text(SnapshotTables tables) {
    StringBuilder text = new StringBuilder();
    for (String table : SnapshotTables.NAMES) {
      tables
          .rows(table)
          .forEachRemaining(
              row ->
                  text.append(table)
                      .append(' ')
                      .append(HexFormat.of().formatHex(row.key()))
                      .append(' ')
                      .append(HexFormat.of().formatHex(row.value()))
                      .append('\n'));
    }
    return text.toString();
  }

  static Outbox.ChunkRequest request(SnapshotMeta snapshot, long offset) {
    return new Outbox.ChunkRequest(FOLLOWER, 9, snapshot, offset, 3, 5000);
  }

  /** The parts of a snapshot, in order. */
  static List<RaftMessage.InstallSnapshot> chunks(SnapshotFiles files, SnapshotMeta snapshot)
      throws IOException {
    List<RaftMessage.InstallSnapshot> chunks = new ArrayList<>();
    long offset = 0;
    do {
      chunks.add(files.read(LEADER, request(snapshot, offset)).orElseThrow());
      offset += chunks.get(chunks.size() - 1).data().length;
    } while (offset < chunks.get(0).totalBytes());
    return chunks;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.Outbox;
import dev.coordinator.server.raft.RaftMessage;
import java.io.Closeable;
import java.io.IOException;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.CRC32C;

/** A snapshot that is sent to followers part by part. */
final class Outgoing implements Closeable {

  private final SnapshotExport file;
  private boolean inUse = true;

  /** Who was given the last part. */
  private final Set<NodeId> sentAll = new TreeSet<>();

  Outgoing(SnapshotExport file) {
    this.file = file;
  }

  /** Whether a part was read since this was asked the last time. */
  boolean takeInUse() {
    boolean was = inUse;
    inUse = false;
    return was;
  }

  /** Whether a follower that has had all of it wants it anew: it may have found it damaged. */
  boolean isBegunAgain(Outbox.ChunkRequest request) {
    return request.offset() == 0 && sentAll.remove(request.to());
  }

  /** A follower that claims to have all or more of it begins from the start. */
  RaftMessage.InstallSnapshot read(NodeId from, Outbox.ChunkRequest request, int chunkBytes)
      throws IOException {
    inUse = true;
    boolean within = request.offset() >= 0 && request.offset() < file.bytes();
    long offset = within ? request.offset() : 0;
    byte[] data = file.read(offset, chunkBytes);
    if (offset + data.length == file.bytes()) {
      sentAll.add(request.to());
    }
    return new RaftMessage.InstallSnapshot(
        from,
        request.to(),
        request.term(),
        request.snapshot(),
        file.bytes(),
        offset,
        data,
        checksum(data),
        request.round(),
        request.clusterTimeMs());
  }

  static int checksum(byte[] data) {
    CRC32C crc = new CRC32C();
    crc.update(data);
    return (int) crc.getValue();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}

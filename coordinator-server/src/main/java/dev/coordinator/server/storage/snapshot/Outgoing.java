// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.Outbox;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.storage.DiskFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** A snapshot that is sent to followers part by part. */
final class Outgoing implements Closeable {

  private final DiskFile file;
  private final long bytes;
  private boolean inUse = true;

  Outgoing(DiskFile file) throws IOException {
    this.file = file;
    this.bytes = file.size();
  }

  /** Whether a part was read since this was asked the last time. */
  boolean takeInUse() {
    boolean was = inUse;
    inUse = false;
    return was;
  }

  /** A follower that claims to have all or more of it begins from the start. */
  RaftMessage.InstallSnapshot read(NodeId from, Outbox.ChunkRequest request, int chunkBytes)
      throws IOException {
    inUse = true;
    long offset = request.offset() < 0 || request.offset() >= bytes ? 0 : request.offset();
    byte[] data = new byte[(int) Math.min(chunkBytes, bytes - offset)];
    ByteBuffer target = ByteBuffer.wrap(data);
    file.read(target, offset);
    if (target.hasRemaining()) {
      throw new IOException("a snapshot became shorter while it was read");
    }
    return new RaftMessage.InstallSnapshot(
        from,
        request.to(),
        request.term(),
        request.snapshot(),
        bytes,
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

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.storage.DiskFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A snapshot file that is open to be copied elsewhere. It stays readable when newer snapshots have
 * taken its place. The copy can be checked by itself, see {@link SnapshotReader#read}.
 */
public final class SnapshotExport implements Closeable {

  private final LogPosition last;
  private final DiskFile file;
  private final long bytes;

  SnapshotExport(LogPosition last, DiskFile file) throws IOException {
    this.last = last;
    this.file = file;
    this.bytes = file.size();
  }

  /** The last entry that is in it. */
  public LogPosition last() {
    return last;
  }

  public long bytes() {
    return bytes;
  }

  /** The bytes from an offset on, as many as there are and fit. */
  public byte[] read(long offset, int maxBytes) throws IOException {
    byte[] data = new byte[(int) Math.max(0, Math.min(maxBytes, bytes - offset))];
    ByteBuffer target = ByteBuffer.wrap(data);
    file.read(target, offset);
    if (target.hasRemaining()) {
      throw new IOException("a snapshot became shorter while it was read");
    }
    return data;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.storage.DiskFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A snapshot that comes from a leader part by part, in order. */
final class Incoming implements Closeable {

  private final RaftMessage.InstallSnapshot first;
  private final DiskFile file;
  private long bytes;

  Incoming(RaftMessage.InstallSnapshot first, DiskFile file) {
    this.first = first;
    this.file = file;
  }

  /**
   * Whether a part is of the same file. Another member's snapshot of the same entry may have other
   * bytes.
   */
  boolean hasPart(RaftMessage.InstallSnapshot chunk) {
    return first.from().equals(chunk.from())
        && first.snapshot().equals(chunk.snapshot())
        && first.totalBytes() == chunk.totalBytes();
  }

  /** Whether a part came late, from a snapshot that the same leader has replaced by a newer one. */
  boolean supersedes(RaftMessage.InstallSnapshot chunk) {
    return first.from().equals(chunk.from())
        && first.term() == chunk.term()
        && first.snapshot().index() > chunk.snapshot().index();
  }

  /** Whether it is of no use any more, since there is a snapshot with as much in it. */
  boolean isCoveredBy(LogPosition newest) {
    return first.snapshot().index() <= newest.index();
  }

  /** Takes the part that comes next; another one changes nothing. */
  void add(RaftMessage.InstallSnapshot chunk) throws IOException {
    if (chunk.offset() == bytes) {
      file.write(ByteBuffer.wrap(chunk.data()), bytes);
      bytes += chunk.data().length;
    }
  }

  long bytes() {
    return bytes;
  }

  boolean isComplete() {
    return bytes == first.totalBytes();
  }

  void force() throws IOException {
    file.force();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}

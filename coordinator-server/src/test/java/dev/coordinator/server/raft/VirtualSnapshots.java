// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.TreeMap;

/**
 * The snapshots of one member of a {@link VirtualCluster}. The newest two outlive a crash; one that
 * is not whole yet does not.
 */
final class VirtualSnapshots {

  /** A whole one. */
  record Stored(SnapshotMeta meta, byte[] content) {

    /** The state that it holds. */
    long state() {
      return ByteBuffer.wrap(content).getLong();
    }
  }

  private final TreeMap<Long, Stored> whole = new TreeMap<>();
  private final ByteArrayOutputStream begun = new ByteArrayOutputStream();

  /** The last part that was added to the one that is not whole. */
  private RaftMessage.InstallSnapshot lastPart;

  /** The newest, or null. */
  Stored newest() {
    return whole.isEmpty() ? null : whole.lastEntry().getValue();
  }

  /** Keeps a state, with something behind it that is as long as nothing else. */
  void save(SnapshotMeta meta, long state) {
    int bytes = 24 + (int) (meta.index() % 16);
    save(new Stored(meta, ByteBuffer.allocate(bytes).putLong(state).array()));
  }

  private void save(Stored snapshot) {
    whole.put(snapshot.meta().index(), snapshot);
    if (whole.size() > 2) {
      whole.pollFirstEntry();
    }
  }

  /** The message that carries the part which is asked for, or null if the snapshot is gone. */
  RaftMessage.InstallSnapshot read(NodeId self, Outbox.ChunkRequest request, int maxBytes) {
    Stored snapshot = whole.get(request.snapshot().index());
    if (snapshot == null || !snapshot.meta().equals(request.snapshot())) {
      return null;
    }
    int from = (int) request.offset();
    int to = Math.min(snapshot.content().length, from + maxBytes);
    byte[] data = Arrays.copyOfRange(snapshot.content(), from, to);
    return new RaftMessage.InstallSnapshot(
        self,
        request.to(),
        request.term(),
        snapshot.meta(),
        snapshot.content().length,
        from,
        data,
        Arrays.hashCode(data),
        request.round(),
        request.clusterTimeMs());
  }

  /**
   * Adds a part if it is the next one.
   *
   * @return how much of its snapshot is there
   */
  long add(RaftMessage.InstallSnapshot part) {
    if (Arrays.hashCode(part.data()) != part.checksum()) {
      throw new AssertionError("damaged on its way: " + part);
    }
    boolean another = lastPart == null || !isOfOne(lastPart, part);
    if (another && part.offset() > 0) {
      return 0;
    }
    if (another) {
      begun.reset();
    }
    if (part.offset() == begun.size()) {
      begun.writeBytes(part.data());
      lastPart = part;
    }
    return begun.size();
  }

  private static boolean isOfOne(
      RaftMessage.InstallSnapshot one, RaftMessage.InstallSnapshot other) {
    return one.from().equals(other.from()) && one.snapshot().equals(other.snapshot());
  }

  /** Makes the one that was begun durable if nothing is missing, and returns it; else null. */
  Stored finish() {
    if (lastPart == null || begun.size() < lastPart.totalBytes()) {
      return null;
    }
    Stored received = new Stored(lastPart.snapshot(), begun.toByteArray());
    save(received);
    crash();
    return received;
  }

  /** What is not whole is lost. */
  void crash() {
    begun.reset();
    lastPart = null;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.machine.CoordinatorMachine;
import dev.coordinator.server.machine.MachineState;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.Outbox;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.SnapshotMeta;
import dev.coordinator.server.storage.Disk;
import dev.coordinator.server.storage.DiskFile;
import dev.coordinator.server.storage.StorageException;
import dev.coordinator.server.wire.SnapshotCodec;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The snapshots of one member as a single-threaded object: writes them, sends and takes them part
 * by part, and gives the newest one at start.
 *
 * <p>A file is written under a temporary name, ended with a checksum of the whole, forced, renamed,
 * and its name made durable; from then on it does not change. So what has a name was whole once,
 * and the checksum tells whether it still is. The newest two are kept, and those that followers are
 * in the middle of. After an {@link IOException} that is no {@link StorageException} the disk
 * cannot be trusted, and the member has to stop.
 */
public final class SnapshotFiles implements Closeable {

  static final String SAVING = "saving.tmp";
  static final String RECEIVING = "receiving.tmp";

  private static final int KEPT = 2;

  /**
   * A snapshot as read, found to make sense.
   *
   * @param machine goes on from its state
   */
  public record Loaded(SnapshotMeta meta, CoordinatorMachine machine) {}

  /**
   * What is there at start.
   *
   * @param snapshot the newest one that can be read, or null
   * @param damaged what is wrong with newer ones
   */
  public record Found(Loaded snapshot, List<StorageException> damaged) {}

  /** What became of a part that was received. */
  public sealed interface Reception {}

  /**
   * It is there, or did not fit behind what is.
   *
   * @param nextOffset how much of its snapshot is there
   */
  public record Stored(long nextOffset) implements Reception {}

  /** It was the last one: the snapshot is whole, durable, and this machine goes on from it. */
  public record Completed(CoordinatorMachine machine) implements Reception {}

  /** It is left unanswered; whoever sent it tries again after a while. */
  public record Refused(String why) implements Reception {}

  private final Disk disk;
  private final SnapshotFormat format;
  private final SnapshotReader reader;
  private final SnapshotConfig config;
  private final NavigableSet<String> files = new TreeSet<>();

  /** Those that followers are sent, which were found whole; by name. */
  private final Map<String, Outgoing> outgoing = new TreeMap<>();

  /** Null if there is none. */
  private Incoming incoming;

  private SnapshotFiles(Disk disk, SnapshotFormat format, SnapshotConfig config) {
    this.disk = disk;
    this.format = format;
    this.reader = new SnapshotReader(disk, format);
    this.config = config;
  }

  /**
   * Finds what is there and removes what was left half done.
   *
   * @param format of the files on the same disk
   */
  public static SnapshotFiles open(Disk disk, SnapshotFormat format, SnapshotConfig config)
      throws IOException {
    SnapshotFiles snapshots = new SnapshotFiles(disk, format, config);
    for (String name : disk.list()) {
      if (name.equals(SAVING) || name.equals(RECEIVING)) {
        disk.delete(name);
      } else if (SnapshotName.parse(name) != null) {
        snapshots.files.add(name);
      }
    }
    // The newest names may still be known to the page cache only.
    disk.syncDirectory();
    return snapshots;
  }

  /** Reads the newest snapshot, or an older one if that is damaged. */
  public Found find() throws IOException {
    List<StorageException> damaged = new ArrayList<>();
    for (String name : List.copyOf(files.descendingSet())) {
      try {
        return new Found(readWhole(name, SnapshotName.parse(name)), damaged);
      } catch (StorageException e) {
        damaged.add(e);
        files.remove(name);
      }
    }
    return new Found(null, damaged);
  }

  /** The last entry of the newest snapshot. */
  public Optional<LogPosition> newest() {
    return files.isEmpty() ? Optional.empty() : Optional.of(SnapshotName.parse(files.last()));
  }

  /**
   * Opens the newest snapshot to copy it.
   *
   * @return empty if there is none
   * @throws StorageException if it is damaged; it counts as gone from then on
   */
  Optional<SnapshotExport> export() throws IOException {
    if (files.isEmpty()) {
      return Optional.empty();
    }
    checkWhole(files.last());
    return Optional.of(open(files.last()));
  }

  private SnapshotExport open(String name) throws IOException {
    return new SnapshotExport(SnapshotName.parse(name), disk.open(name));
  }

  private void checkWhole(String name) throws IOException {
    try {
      WholeFile.check(disk, name);
    } catch (StorageException e) {
      files.remove(name);
      // The next snapshot may get the same name, and be another file.
      stopSending(name);
      throw e;
    }
  }

  private void stopSending(String name) throws IOException {
    Outgoing sent = outgoing.remove(name);
    if (sent != null) {
      sent.close();
    }
  }

  /** The size of the newest snapshot, 0 if there is none. */
  long newestBytes() throws IOException {
    if (files.isEmpty()) {
      return 0;
    }
    try (DiskFile newest = disk.open(files.last())) {
      return newest.size();
    }
  }

  /** Makes a snapshot durable, unless there is one that has as much in it. */
  public void save(SnapshotMeta meta, MachineState state) throws IOException {
    Optional<LogPosition> newest = newest();
    if (newest.isPresent() && newest.get().index() >= meta.index()) {
      return;
    }
    RowSum written = new RowSum(SnapshotCodec.encode(meta, state));
    format.write(SAVING, written);
    try (SnapshotFormat.OpenTables tables = format.open(SAVING)) {
      if (!RowSum.of(tables).equalTo(written)) {
        throw new IOException(disk.describe(SAVING) + " does not give back what was written");
      }
    }
    WholeFile.seal(disk, SAVING);
    name(SAVING, meta.last());
    if (incoming != null && incoming.isCoveredBy(meta.last())) {
      discardIncoming();
    }
  }

  /**
   * Reads the part that a follower needs next.
   *
   * @param self the member that sends it
   * @return empty if the snapshot is no longer there
   * @throws StorageException if the snapshot is damaged; it counts as gone from then on
   */
  public Optional<RaftMessage.InstallSnapshot> read(NodeId self, Outbox.ChunkRequest request)
      throws IOException {
    String name = SnapshotName.of(request.snapshot().last());
    if (!files.contains(name)) {
      return Optional.empty();
    }
    Outgoing sent = outgoing.get(name);
    if (sent == null) {
      checkWhole(name);
      sent = new Outgoing(open(name));
      outgoing.put(name, sent);
    } else if (sent.isBegunAgain(request)) {
      checkWhole(name);
    }
    return Optional.of(sent.read(self, request, config.chunkBytes()));
  }

  /** Takes a part of a snapshot from the leader. There is one that is incomplete, at most. */
  public Reception receive(RaftMessage.InstallSnapshot chunk) throws IOException {
    String rule = brokenRule(chunk);
    if (rule != null) {
      return new Refused(rule);
    }
    if (incoming == null || !incoming.hasPart(chunk)) {
      if (chunk.offset() != 0) {
        return new Stored(0);
      }
      if (incoming != null && incoming.supersedes(chunk)) {
        return new Refused("a newer snapshot of the same leader is being received");
      }
      discardIncoming();
      incoming = new Incoming(chunk, disk.create(RECEIVING));
    }
    incoming.add(chunk);
    return incoming.isComplete() ? complete(chunk) : new Stored(incoming.bytes());
  }

  private String brokenRule(RaftMessage.InstallSnapshot chunk) {
    long total = chunk.totalBytes();
    if (total < 1 || total > config.maxBytes()) {
      return String.format(
          "a snapshot has 1 to %d bytes (limits.maxSnapshotSize), not %d",
          config.maxBytes(), total);
    }
    int bytes = chunk.data().length;
    if (bytes < 1 || chunk.offset() < 0 || chunk.offset() > total - bytes) {
      return String.format("%d bytes at offset %d are no part of %d", bytes, chunk.offset(), total);
    }
    if (Outgoing.checksum(chunk.data()) != chunk.checksum()) {
      return "the checksum of the part is wrong";
    }
    return null;
  }

  private Reception complete(RaftMessage.InstallSnapshot last) throws IOException {
    incoming.force();
    Loaded snapshot;
    try {
      snapshot = readWhole(RECEIVING, last.snapshot().last());
      if (!snapshot.meta().equals(last.snapshot())) {
        throw new StorageException(
            "a snapshot that says of itself " + snapshot.meta() + " came as " + last.snapshot());
      }
    } catch (StorageException e) {
      discardIncoming();
      return new Refused(e.getMessage());
    }
    incoming.close();
    incoming = null;
    name(RECEIVING, snapshot.meta().last());
    return new Completed(snapshot.machine());
  }

  /**
   * @throws StorageException if the file is damaged, of another entry, or contradicts itself
   */
  private Loaded readWhole(String name, LogPosition last) throws IOException {
    SnapshotCodec.Snapshot snapshot = reader.read(name);
    if (!snapshot.meta().last().equals(last)) {
      throw new StorageException(
          disk.describe(name) + " is of entry " + snapshot.meta().last() + ", not " + last);
    }
    try {
      return new Loaded(snapshot.meta(), new CoordinatorMachine(snapshot.state()));
    } catch (IllegalArgumentException e) {
      throw SnapshotReader.senseless(disk, name, e);
    }
  }

  /** Gives a file that is durable its name for good. */
  private void name(String temporary, LogPosition last) throws IOException {
    String name = SnapshotName.of(last);
    disk.rename(temporary, name);
    disk.syncDirectory();
    files.add(name);
    removeOld();
  }

  /** Damaged ones are not counted, and go. One that a power cut brings back does no harm. */
  private void removeOld() throws IOException {
    Set<String> kept = new TreeSet<>();
    files.descendingSet().stream().limit(KEPT).forEach(kept::add);
    // A follower that takes long must not lose its snapshot again and again to newer ones.
    outgoing.forEach(
        (name, sent) -> {
          if (sent.takeInUse()) {
            kept.add(name);
          }
        });
    for (String name : disk.list()) {
      if (SnapshotName.parse(name) != null && !kept.contains(name)) {
        disk.delete(name);
        files.remove(name);
        stopSending(name);
      }
    }
  }

  private void discardIncoming() throws IOException {
    if (incoming != null) {
      incoming.close();
      incoming = null;
      disk.delete(RECEIVING);
    }
  }

  @Override
  public void close() throws IOException {
    for (Outgoing sent : outgoing.values()) {
      sent.close();
    }
    outgoing.clear();
    if (incoming != null) {
      incoming.close();
      incoming = null;
    }
  }
}

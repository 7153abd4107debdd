// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Optional;

/**
 * The directory with everything that one member keeps, locked for its one owner, and bound for ever
 * to one member of one cluster.
 */
public final class DataDirectory implements Closeable {

  private static final String LOG = "log";
  private static final String SNAPSHOTS = "snapshots";

  private final Path path;
  private final DirectoryLock lock;
  private final IdentityFile identityFile;
  private LogIdentity identity;
  private boolean logBegun;

  private DataDirectory(Path path, DirectoryLock lock) {
    this.path = path;
    this.lock = lock;
    this.identityFile = new IdentityFile(path);
  }

  /**
   * Locks the directory, and makes it if it is not there.
   *
   * @throws StorageException if it is in use, damaged, or of another member
   */
  public static DataDirectory open(Path path, String clusterId, NodeId memberId)
      throws IOException {
    createDirectories(path);
    DataDirectory directory = new DataDirectory(path, DirectoryLock.acquire(path));
    try {
      directory.identify(clusterId, memberId);
    } catch (IOException | RuntimeException e) {
      directory.close();
      throw e;
    }
    return directory;
  }

  private static void createDirectories(Path path) throws StorageException {
    try {
      Files.createDirectories(path.resolve(LOG));
      Files.createDirectories(path.resolve(SNAPSHOTS));
      // What is made durable in one of them is lost if its own name is not.
      FileDisk.syncDirectory(path);
    } catch (FileAlreadyExistsException e) {
      throw new StorageException(
          "data directory " + path + " cannot be made: " + e.getFile() + " is a file", e);
    } catch (IOException e) {
      throw new StorageException("data directory " + path + " cannot be made: " + e, e);
    }
  }

  /** What writes the snapshot of a new data directory. */
  @FunctionalInterface
  public interface Filling {

    /**
     * @param snapshots where snapshots belong
     * @param snapshotPath the same directory
     */
    void fill(Disk snapshots, Path snapshotPath) throws IOException;
  }

  /**
   * Makes a directory for a member that has never run, with a snapshot and a log that goes on from
   * it, so that the member misses the snapshot should it be lost. It gets its identity last: if
   * this is interrupted, no member starts with a part of the content.
   *
   * @param last the last entry of the snapshot
   * @throws StorageException if there is anything of a member already
   */
  public static void fill(
      Path path, String clusterId, NodeId memberId, LogPosition last, Filling filling)
      throws IOException {
    createDirectories(path);
    try (DataDirectory directory = new DataDirectory(path, DirectoryLock.acquire(path))) {
      if (directory.identityFile.read().isPresent() || directory.hasContent()) {
        throw new StorageException(
            "data directory " + path + " is not empty: choose another one, or empty it");
      }
      LogIdentity identity = newIdentity(clusterId, memberId);
      filling.fill(directory.snapshotDisk(), directory.snapshotPath());
      try (SegmentedLog log =
          SegmentedLog.open(
              directory.logDisk(), identity, SegmentedLogConfig.DEFAULT, Runnable::run)) {
        log.beginAnew(new HardState(last.term(), NodeId.NONE), last);
      }
      FileDisk.syncDirectory(path);
      directory.writeFirst(identity, true);
    }
  }

  private void identify(String clusterId, NodeId memberId) throws IOException {
    Optional<IdentityFile.Content> found = identityFile.read();
    if (found.isPresent()) {
      identity = found.get().identity();
      logBegun = found.get().logBegun();
      if (!identity.clusterId().equals(clusterId) || !identity.memberId().equals(memberId)) {
        throw new StorageException(
            String.format(
                "data directory %s is of member %s of cluster '%s', but the configuration says"
                    + " member %s of cluster '%s': correct the configuration, or choose another"
                    + " data directory",
                path, identity.memberId(), identity.clusterId(), memberId, clusterId));
      }
      return;
    }
    if (hasContent()) {
      throw new StorageException(
          String.format(
              "data directory %s has a log or snapshots, but its file 'identity' is missing: put"
                  + " back an exact copy of the whole directory, or choose an empty one",
              path));
    }
    writeFirst(newIdentity(clusterId, memberId), false);
  }

  private boolean hasContent() throws IOException {
    return SegmentedLog.exists(logDisk()) || !snapshotDisk().list().isEmpty();
  }

  private static LogIdentity newIdentity(String clusterId, NodeId memberId) {
    return new LogIdentity(clusterId, memberId, new SecureRandom().nextLong());
  }

  private void writeFirst(LogIdentity newIdentity, boolean hasLog) throws IOException {
    identity = newIdentity;
    logBegun = hasLog;
    identityFile.write(new IdentityFile.Content(identity, hasLog));
    Path parent = path.toAbsolutePath().getParent();
    if (parent != null) {
      FileDisk.syncDirectory(parent);
    }
  }

  public Path path() {
    return path;
  }

  public LogIdentity identity() {
    return identity;
  }

  /** Where snapshots are. */
  public Path snapshotPath() {
    return path.resolve(SNAPSHOTS);
  }

  public Disk snapshotDisk() {
    return new FileDisk(snapshotPath());
  }

  Disk logDisk() {
    return new FileDisk(path.resolve(LOG));
  }

  /** Refuses to go on as if nothing had been promised when a log was there and is gone. */
  void expectLog() throws IOException {
    if (logBegun && !SegmentedLog.exists(logDisk())) {
      throw new StorageException(
          String.format(
              "the log of member %s is gone from %s: with it the member would forget its votes and"
                  + " entries, and the cluster could lose what it has acknowledged. Put it back, or"
                  + " add the member to the cluster again with a new member id and an empty data"
                  + " directory.",
              identity.memberId(), path.resolve(LOG)));
    }
  }

  /** Remembers that there is a log from here on. */
  void logBegun() throws IOException {
    if (!logBegun) {
      identityFile.write(new IdentityFile.Content(identity, true));
      logBegun = true;
    }
  }

  /** Gives the directory free for another owner. */
  @Override
  public void close() throws IOException {
    lock.close();
  }
}

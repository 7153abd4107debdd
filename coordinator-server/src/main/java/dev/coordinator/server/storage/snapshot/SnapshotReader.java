// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.storage.Disk;
import dev.coordinator.server.storage.StorageException;
import dev.coordinator.server.wire.SnapshotCodec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads snapshot files, and trusts none that is not whole. */
public final class SnapshotReader {

  private final Disk disk;
  private final SnapshotFormat format;

  SnapshotReader(Disk disk, SnapshotFormat format) {
    this.disk = disk;
    this.format = format;
  }

  /**
   * Reads a file that stands anywhere, such as a backup. It need not be writable.
   *
   * @throws StorageException saying why it cannot be used
   */
  public static SnapshotCodec.Snapshot read(Path file) throws IOException {
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null || !Files.isRegularFile(file)) {
      throw new StorageException(file + " is no file");
    }
    return new SnapshotReader(Disk.readOnly(directory), new MapDbSnapshotFormat(directory))
        .read(file.getFileName().toString());
  }

  /**
   * @throws StorageException saying what is wrong with the file
   */
  SnapshotCodec.Snapshot read(String name) throws IOException {
    WholeFile.check(disk, name);
    try (SnapshotFormat.OpenTables tables = format.open(name)) {
      return SnapshotCodec.decode(tables);
    } catch (IllegalArgumentException e) {
      throw senseless(disk, name, e);
    }
  }

  /** It is what was written, as the checksum shows, but that was no snapshot of this format. */
  static StorageException senseless(Disk disk, String name, IllegalArgumentException why) {
    return new StorageException(disk.describe(name) + " makes no sense: " + why.getMessage(), why);
  }
}

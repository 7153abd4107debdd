// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A directory that holds files of the log or of snapshots, as these see it.
 *
 * <p>What a real disk promises is little, and this is all that they rely on: bytes are safe after
 * {@link DiskFile#force}, names after {@link #syncDirectory}. Until then a power cut keeps any part
 * of them, down to single sectors.
 */
public interface Disk {

  /** A directory of the file system. */
  static Disk of(Path directory) {
    return new FileDisk(directory);
  }

  /** A directory of the file system whose files are only read. */
  static Disk readOnly(Path directory) {
    return new ReadOnlyDisk(directory);
  }

  /** The names of all files, in any order. */
  List<String> list() throws IOException;

  /** Makes an empty file; an existing one is an error. */
  DiskFile create(String name) throws IOException;

  DiskFile open(String name) throws IOException;

  /** Gives a file another name in one step. Open handles stay usable. */
  void rename(String from, String to) throws IOException;

  void delete(String name) throws IOException;

  /** Makes every creation, renaming and deletion so far survive a power cut. */
  void syncDirectory() throws IOException;

  /** How to name a file to a person, such as its full path. */
  String describe(String name);
}

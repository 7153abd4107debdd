// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.ReadOnlyFileSystemException;
import java.nio.file.StandardOpenOption;

/**
 * A directory of the file system in which nothing can be changed: its files may belong to somebody
 * else, or stand where nobody can write. What would change something throws.
 */
final class ReadOnlyDisk extends FileDisk {

  ReadOnlyDisk(Path directory) {
    super(directory);
  }

  @Override
  FileChannel channel(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.READ);
  }

  @Override
  public DiskFile create(String name) {
    throw new ReadOnlyFileSystemException();
  }

  @Override
  public void rename(String from, String to) {
    throw new ReadOnlyFileSystemException();
  }

  @Override
  public void delete(String name) {
    throw new ReadOnlyFileSystemException();
  }

  @Override
  public void syncDirectory() {
    throw new ReadOnlyFileSystemException();
  }
}

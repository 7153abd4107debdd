// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.storage.Disk;
import dev.coordinator.server.storage.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.ReadOnlyFileSystemException;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/**
 * A directory of the file system in which nothing can be changed: its files may belong to somebody
 * else, or stand where nobody can write. What would change something throws.
 */
final class ReadOnlyDisk implements Disk {

  private final Path directory;

  ReadOnlyDisk(Path directory) {
    this.directory = directory;
  }

  @Override
  public List<String> list() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  @Override
  public DiskFile open(String name) throws IOException {
    return new ReadOnlyFile(FileChannel.open(directory.resolve(name), StandardOpenOption.READ));
  }

  @Override
  public String describe(String name) {
    return directory.resolve(name).toString();
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

  private record ReadOnlyFile(FileChannel channel) implements DiskFile {

    @Override
    public long size() throws IOException {
      return channel.size();
    }

    @Override
    public void read(ByteBuffer target, long position) throws IOException {
      long next = position;
      int count = 0;
      while (target.hasRemaining() && count >= 0) {
        count = channel.read(target, next);
        next += count;
      }
    }

    @Override
    public void write(ByteBuffer source, long position) {
      throw new ReadOnlyFileSystemException();
    }

    @Override
    public void force() {
      throw new ReadOnlyFileSystemException();
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}

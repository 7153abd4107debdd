// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The exclusive use of a data directory, by one owner in one process. It ends with the process,
 * however that ends.
 */
final class DirectoryLock implements Closeable {

  private static final String NAME = "lock";
  private static final int MAX_PID_BYTES = 20;

  /**
   * What this process has locked. The operating system's locks belong to a process, and closing any
   * channel on the file drops them: a second owner here must not even open it.
   */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path directory;
  private final FileChannel channel;

  private DirectoryLock(Path directory, FileChannel channel) {
    this.directory = directory;
    this.channel = channel;
  }

  static DirectoryLock acquire(Path path) throws IOException {
    Path directory = path.toRealPath();
    if (!HELD.add(directory)) {
      throw inUse(directory, "this process");
    }
    try {
      return new DirectoryLock(directory, lock(directory));
    } catch (IOException | RuntimeException e) {
      HELD.remove(directory);
      throw e;
    }
  }

  private static FileChannel lock(Path directory) throws IOException {
    FileChannel channel = openLockFile(directory.resolve(NAME));
    try {
      FileLock lock = channel.tryLock();
      if (lock == null) {
        throw inUse(directory, "another process" + pidIn(channel));
      }
      byte[] pid = Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII);
      channel.truncate(0);
      channel.write(ByteBuffer.wrap(pid), 0);
      return channel;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static FileChannel openLockFile(Path file) throws IOException {
    try {
      return FileChannel.open(
          file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
    } catch (FileSystemException e) {
      throw new StorageException(
          "cannot lock data directory "
              + file.getParent()
              + " ("
              + e
              + "): the user that runs the member must be allowed to write there",
          e);
    }
  }

  private static StorageException inUse(Path directory, String by) {
    return new StorageException(
        "data directory "
            + directory
            + " is in use by "
            + by
            + ": each member needs a data directory of its own; stop the other one, or choose"
            + " another directory");
  }

  private static String pidIn(FileChannel channel) throws IOException {
    ByteBuffer content = ByteBuffer.allocate(MAX_PID_BYTES);
    channel.read(content, 0);
    String pid = StandardCharsets.US_ASCII.decode(content.flip()).toString();
    boolean number = !pid.isEmpty() && pid.chars().allMatch(c -> c >= '0' && c <= '9');
    return number ? " (pid " + pid + ")" : "";
  }

  @Override
  public void close() throws IOException {
    if (channel.isOpen()) {
      channel.close();
      HELD.remove(directory);
    }
  }
}

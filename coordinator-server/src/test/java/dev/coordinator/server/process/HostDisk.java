// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The disk of one host: an ext4 file system of its own in a file, so that it can fill up, turn
 * read-only, and lose everything that was not synced, as in a power cut.
 */
final class HostDisk implements AutoCloseable {

  /** {@code _IOR('X', 125, __u32)} of the kernel's ext4. */
  private static final String EXT4_IOC_SHUTDOWN = "0x8004587D";

  /** Drop what the journal has not yet written: {@code EXT4_GOING_FLAGS_NOLOGFLUSH}. */
  private static final String WITHOUT_LOG_FLUSH = "2";

  private static final String SIZE = "512M";

  private final Path image;
  private final Path mountPoint;
  private boolean filled;

  HostDisk(Path image, Path mountPoint) throws IOException, InterruptedException {
    this.image = image;
    this.mountPoint = mountPoint;
    Files.createDirectories(mountPoint);
    format();
    mount();
  }

  private void format() throws IOException, InterruptedException {
    Shell.run("truncate", "-s", SIZE, image.toString());
    Shell.run("mkfs.ext4", "-q", "-F", "-m", "0", image.toString());
  }

  /** Where it is mounted. */
  Path path() {
    return mountPoint;
  }

  /** Its number for the kernel, {@code major:minor}. */
  synchronized String device() throws IOException, InterruptedException {
    return Shell.run("findmnt", "-n", "-o", "MAJ:MIN", mountPoint.toString()).strip();
  }

  /** Leaves no room. */
  synchronized void fill() throws IOException, InterruptedException {
    requireMounted();
    filled = true;
    Path filler = filler();
    long free = Files.getFileStore(mountPoint).getUsableSpace();
    Shell.exitCode("fallocate", "-l", Long.toString(free), filler.toString());
    byte[] block = new byte[4096];
    try (OutputStream out =
        Files.newOutputStream(filler, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      while (true) {
        out.write(block);
      }
    } catch (IOException full) {
      // As it should be.
      return;
    }
  }

  /** Nothing can be written any more. */
  synchronized void makeReadOnly() throws IOException, InterruptedException {
    requireMounted();
    // A file that is open for writing forbids a remount; the kernel's own reaction to a damaged
    // file system does not ask.
    Shell.run("mount", "-o", "remount,abort", mountPoint.toString());
  }

  /** From now on nothing reaches the disk, and what was not synced is lost. */
  synchronized void cutPower() throws IOException, InterruptedException {
    requireMounted();
    Shell.run(
        "perl",
        "-e",
        "open(my $d, '<', $ARGV[0]) or die $!; my $how = pack('L', $ARGV[1]);"
            // Never the file system that the mount point itself is on.
            + " (stat $d)[0] != (stat \"$ARGV[0]/..\")[0] or die 'not mounted';"
            + " ioctl($d, "
            + EXT4_IOC_SHUTDOWN
            + ", $how) or die $!;",
        mountPoint.toString(),
        WITHOUT_LOG_FLUSH);
  }

  /** Makes it as good as new, with the data that reached it. No process may be using it. */
  synchronized void restart() throws IOException, InterruptedException {
    unmount();
    // What a machine does when it starts. 1 says that it found something to mend.
    if (Shell.exitCode("fsck.ext4", "-p", image.toString()) > 1) {
      throw new IOException(image + " is beyond what fsck can mend by itself");
    }
    mount();
  }

  /** Another disk, a blank one. No process may be using this one. */
  synchronized void replace() throws IOException, InterruptedException {
    unmount();
    format();
    mount();
  }

  /** What a fault does must not strike the disk of this machine. */
  private void requireMounted() throws IOException, InterruptedException {
    Shell.run("mountpoint", "-q", mountPoint.toString());
  }

  /** Makes room again. */
  synchronized void freeSpace() throws IOException {
    if (filled) {
      Files.deleteIfExists(filler());
      filled = false;
    }
  }

  private Path filler() {
    return mountPoint.resolve("filler");
  }

  private void mount() throws IOException, InterruptedException {
    Shell.run("mount", "-o", "loop", image.toString(), mountPoint.toString());
  }

  private void unmount() throws IOException, InterruptedException {
    Shell.run("umount", mountPoint.toString());
  }

  @Override
  public synchronized void close() throws IOException, InterruptedException {
    unmount();
    Files.delete(image);
  }
}

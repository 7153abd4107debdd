// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.storage.Disk;
import dev.coordinator.server.storage.DiskFile;
import dev.coordinator.server.storage.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * The last bytes of a snapshot file, by which it can be told whether it is whole, wherever it has
 * been.
 *
 * <pre>
 *  -16  magic            8
 *   -8  format version   4
 *   -4  CRC32C           4   of all before it
 * </pre>
 */
final class WholeFile {

  static final int TRAILER_BYTES = 16;

  /** "COORDSNP" in ASCII, read as a little-endian number. */
  private static final long MAGIC = 0x504E_5344_524F_4F43L;

  private static final int FORMAT_VERSION = 1;
  private static final int VERSION_OFFSET = 8;
  private static final int CRC_OFFSET = 12;
  private static final int BUFFER_BYTES = 256 << 10;

  private WholeFile() {}

  /** Ends a file with its checksum and makes it durable. */
  static void seal(Disk disk, String name) throws IOException {
    try (DiskFile file = disk.open(name)) {
      long size = file.size();
      ByteBuffer trailer = ByteBuffer.allocate(TRAILER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
      trailer.putLong(MAGIC).putInt(FORMAT_VERSION);
      CRC32C crc = checksum(file, size);
      crc.update(trailer.array(), 0, CRC_OFFSET);
      trailer.putInt((int) crc.getValue());
      file.write(trailer.flip(), size);
      file.force();
    }
  }

  /**
   * Reads all of a file.
   *
   * @throws StorageException saying what is wrong with it
   */
  static void check(Disk disk, String name) throws IOException {
    try (DiskFile file = disk.open(name)) {
      String problem = problem(file);
      if (problem != null) {
        throw new StorageException(disk.describe(name) + " is damaged: " + problem);
      }
    }
  }

  private static String problem(DiskFile file) throws IOException {
    long size = file.size();
    if (size < TRAILER_BYTES) {
      return "it has only " + size + " bytes";
    }
    ByteBuffer trailer = ByteBuffer.allocate(TRAILER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    file.read(trailer, size - TRAILER_BYTES);
    if (trailer.getLong(0) != MAGIC) {
      return "it does not end as a snapshot does";
    }
    CRC32C crc = checksum(file, size - TRAILER_BYTES);
    crc.update(trailer.array(), 0, CRC_OFFSET);
    if ((int) crc.getValue() != trailer.getInt(CRC_OFFSET)) {
      return "its checksum is wrong";
    }
    int version = trailer.getInt(VERSION_OFFSET);
    return version == FORMAT_VERSION
        ? null
        : "it has format version " + version + ", this program knows " + FORMAT_VERSION;
  }

  private static CRC32C checksum(DiskFile file, long bytes) throws IOException {
    CRC32C crc = new CRC32C();
    ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(bytes, BUFFER_BYTES));
    for (long done = 0; done < bytes; done += buffer.limit()) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), bytes - done));
      file.read(buffer, done);
      if (buffer.hasRemaining()) {
        throw new StorageException("a file became shorter while it was read");
      }
      crc.update(buffer.flip());
    }
    return crc;
  }
}

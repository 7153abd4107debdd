// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The envelope of what one fsync makes durable.
 *
 * <pre>
 *   0  CRC32C           4   of the log's salt and all that follows, padding included
 *   4  magic            4   with the format's version in its last byte
 *   8  sequence         8   rises by one from frame to frame
 *  16  records' length  4   1 or more
 *  20  records' count   4
 *  24  records, padded with zeros to a multiple of 8
 * </pre>
 *
 * <p>Frames begin at multiples of 8, all numbers are little-endian. Not thread-safe.
 */
final class FrameCodec {

  static final int HEADER_BYTES = 24;
  static final int ALIGNMENT = 8;

  /** "FRM" and version 1, read as a little-endian number. */
  private static final int MAGIC = 0x014D_5246;

  private static final int MAGIC_OFFSET = 4;
  private static final int SEQUENCE_OFFSET = 8;
  private static final int LENGTH_OFFSET = 16;
  private static final int COUNT_OFFSET = 20;

  private final CRC32C crc = new CRC32C();
  private final byte[] salt;

  FrameCodec(long salt) {
    this.salt = ByteBuffer.allocate(Long.BYTES).putLong(salt).array();
  }

  /** The whole size of a frame with so many bytes of records. */
  static long frameBytes(long recordBytes) {
    return (HEADER_BYTES + recordBytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /**
   * Completes a frame whose records are already in the buffer, from {@code start + HEADER_BYTES} up
   * to its position, and moves the position past the padding.
   */
  void seal(ByteBuffer buffer, int start, long sequence, int records) {
    int length = buffer.position() - start - HEADER_BYTES;
    int end = start + (int) frameBytes(length);
    while (buffer.position() < end) {
      buffer.put((byte) 0);
    }
    buffer.putInt(start + MAGIC_OFFSET, MAGIC);
    buffer.putLong(start + SEQUENCE_OFFSET, sequence);
    buffer.putInt(start + LENGTH_OFFSET, length);
    buffer.putInt(start + COUNT_OFFSET, records);
    buffer.putInt(start, checksum(buffer, start, end));
  }

  /** Whether a whole frame with a right checksum begins at this offset. */
  boolean isFrame(ByteBuffer segment, int offset) {
    if (offset + HEADER_BYTES > segment.limit()
        || segment.getInt(offset + MAGIC_OFFSET) != MAGIC
        || recordBytes(segment, offset) < 1) {
      return false;
    }
    long end = offset + frameBytes(recordBytes(segment, offset));
    return end <= segment.limit() && segment.getInt(offset) == checksum(segment, offset, (int) end);
  }

  static long sequence(ByteBuffer segment, int offset) {
    return segment.getLong(offset + SEQUENCE_OFFSET);
  }

  static int recordBytes(ByteBuffer segment, int offset) {
    return segment.getInt(offset + LENGTH_OFFSET);
  }

  static int recordCount(ByteBuffer segment, int offset) {
    return segment.getInt(offset + COUNT_OFFSET);
  }

  private int checksum(ByteBuffer buffer, int start, int end) {
    int position = buffer.position();
    int limit = buffer.limit();
    crc.reset();
    crc.update(salt, 0, salt.length);
    crc.update(buffer.limit(end).position(start + MAGIC_OFFSET));
    buffer.limit(limit).position(position);
    return (int) crc.getValue();
  }
}

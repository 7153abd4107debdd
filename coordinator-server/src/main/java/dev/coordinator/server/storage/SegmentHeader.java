// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * The first sector of a segment.
 *
 * <pre>
 *   0  magic              8
 *   8  format version     4
 *  12  cluster id length  4
 *  16  segment number     8
 *  24  first sequence     8   the number of the segment's first frame
 *  32  last index         8   of the last entry when the segment began
 *  40  last term          8   of the same entry
 *  48  member id          8
 *  56  salt               8
 *  64  cluster id         up to 255, UTF-8
 * 508  CRC32C             4   of all before it
 * </pre>
 *
 * @param number segments are numbered from 1 without a gap
 * @param last the last entry of the log, or its base, when the segment began
 */
record SegmentHeader(LogIdentity identity, long number, long firstSequence, LogPosition last) {

  static final int BYTES = 512;

  /** "COORDWAL" in ASCII, read as a little-endian number. */
  private static final long MAGIC = 0x4C41_5744_524F_4F43L;

  private static final int FORMAT_VERSION = 2;
  private static final int VERSION_OFFSET = 8;
  private static final int NUMBER_OFFSET = 16;
  private static final int CLUSTER_ID_OFFSET = 64;
  private static final int CRC_OFFSET = BYTES - Integer.BYTES;
  private static final String SUFFIX = ".wal";
  private static final int DIGITS = 10;

  static String fileName(long number) {
    return PaddedNumber.of(number, DIGITS) + SUFFIX;
  }

  /** Whether a file is a segment; anything else in the directory is not the log's business. */
  static boolean isSegment(String fileName) {
    return fileName.length() == DIGITS + SUFFIX.length()
        && fileName.endsWith(SUFFIX)
        && fileName.chars().limit(DIGITS).allMatch(c -> c >= '0' && c <= '9');
  }

  static long number(String fileName) {
    return Long.parseLong(fileName, 0, DIGITS, 10);
  }

  /** Writes the header at the buffer's position and moves past it. */
  void encode(ByteBuffer target) {
    int start = target.position();
    byte[] clusterId = identity.clusterId().getBytes(StandardCharsets.UTF_8);
    target
        .putLong(MAGIC)
        .putInt(FORMAT_VERSION)
        .putInt(clusterId.length)
        .putLong(number)
        .putLong(firstSequence)
        .putLong(last.index())
        .putLong(last.term())
        .putLong(identity.memberId().value())
        .putLong(identity.salt())
        .put(clusterId);
    while (target.position() < start + CRC_OFFSET) {
      target.put((byte) 0);
    }
    target.putInt(crc(target, start));
  }

  /**
   * Reads the header at the start of a segment.
   *
   * @throws StorageException saying what is wrong with it, without the file's name
   */
  static SegmentHeader decode(ByteBuffer segment) throws StorageException {
    if (segment.limit() < BYTES) {
      throw new StorageException("its header is cut short");
    }
    if (segment.getLong(0) != MAGIC) {
      throw new StorageException("it does not begin as a segment of a log");
    }
    int version = segment.getInt(VERSION_OFFSET);
    if (segment.getInt(CRC_OFFSET) != crc(segment, 0)) {
      throw new StorageException("the checksum of its header is wrong");
    }
    if (version != FORMAT_VERSION) {
      throw new StorageException(
          "it has format version " + version + ", this program knows " + FORMAT_VERSION);
    }
    ByteBuffer fields = segment.duplicate().order(segment.order()).position(VERSION_OFFSET + 4);
    int clusterIdBytes = fields.getInt();
    if (clusterIdBytes < 1 || clusterIdBytes > LogIdentity.MAX_CLUSTER_ID_BYTES) {
      throw new StorageException("its cluster id has " + clusterIdBytes + " bytes");
    }
    byte[] clusterId = new byte[clusterIdBytes];
    segment.get(CLUSTER_ID_OFFSET, clusterId);
    fields.position(NUMBER_OFFSET);
    long number = fields.getLong();
    long firstSequence = fields.getLong();
    LogPosition last = new LogPosition(fields.getLong(), fields.getLong());
    NodeId memberId = new NodeId(fields.getLong());
    LogIdentity identity =
        new LogIdentity(new String(clusterId, StandardCharsets.UTF_8), memberId, fields.getLong());
    return new SegmentHeader(identity, number, firstSequence, last);
  }

  private static int crc(ByteBuffer segment, int start) {
    CRC32C crc = new CRC32C();
    crc.update(segment.duplicate().limit(start + CRC_OFFSET).position(start));
    return (int) crc.getValue();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import dev.coordinator.server.raft.LogPosition;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Reads the segments of a log from first to last, cuts a torn tail, and refuses what can only be
 * damage. The package's documentation says how the two are told apart.
 */
final class LogRecovery {

  private final Disk disk;
  private final LogIdentity identity;
  private final FrameCodec frames;
  private final LogReplay replay = new LogReplay();

  private ByteBuffer segment = ByteBuffer.allocate(0);
  private String file;
  private String previousFile;

  /** Where the last good frame begins and ends in the segment being read. */
  private int lastFrameStart;

  private int framesEnd;
  private long nextSequence = 1;

  LogRecovery(Disk disk, LogIdentity identity) {
    this.disk = disk;
    this.identity = identity;
    this.frames = new FrameCodec(identity.salt());
  }

  /**
   * What was found.
   *
   * @param tail the segment to go on with, or null if there is none
   * @param tornBytes how much was cut from its end
   */
  record Result(
      RecoveredLog log,
      LogShape shape,
      long nextSequence,
      Segment tail,
      SegmentList segments,
      int tornBytes) {}

  Result run() throws IOException {
    List<String> names = disk.list();
    if (names.contains(SpareSegment.NAME)) {
      // It never got its name as a segment, so nothing in it was ever acknowledged.
      disk.delete(SpareSegment.NAME);
    }
    List<String> segments = names.stream().filter(SegmentHeader::isSegment).sorted().toList();
    // Those before the first one were dropped behind a snapshot: whoever has it checks that.
    long first = segments.isEmpty() ? 1 : SegmentHeader.number(segments.get(0));
    for (int i = 0; i < segments.size(); i++) {
      String expected = SegmentHeader.fileName(first + i);
      if (!segments.get(i).equals(expected)) {
        throw damage(expected, 0, "the segment is missing, earlier and later ones are there");
      }
      previousFile = file;
      file = expected;
      readSegment(first + i);
    }
    int tornBytes = 0;
    Segment tail = null;
    if (file != null) {
      int inUse = bytesInUse();
      rejectLaterFrames(inUse);
      tornBytes = inUse - framesEnd;
      tail = repairTail(first + segments.size() - 1, tornBytes);
    }
    // The newest names may still be known to the page cache only.
    disk.syncDirectory();
    return new Result(
        replay.log(), replay.shape(), nextSequence, tail, replay.segments(), tornBytes);
  }

  private void readSegment(long number) throws IOException {
    try (DiskFile open = disk.open(file)) {
      long size = open.size();
      if (size > Integer.MAX_VALUE) {
        throw damage(file, Integer.MAX_VALUE, "it is larger than any segment");
      }
      if (segment.capacity() < size) {
        segment = ByteBuffer.allocate((int) size).order(ByteOrder.LITTLE_ENDIAN);
      }
      open.read(segment.clear().limit((int) size), 0);
      segment.flip();
    }
    beginSegment(number);
    framesEnd = SegmentHeader.BYTES;
    while (frames.isFrame(segment, framesEnd)) {
      readFrame();
    }
    if (framesEnd == SegmentHeader.BYTES) {
      throw damage(
          file, framesEnd, "its first frame, durable before the file got its name, is bad");
    }
  }

  private void beginSegment(long number) throws StorageException {
    SegmentHeader header;
    try {
      header = SegmentHeader.decode(segment);
    } catch (StorageException e) {
      throw damage(file, 0, e.getMessage());
    }
    LogIdentity found = header.identity();
    if (!found.clusterId().equals(identity.clusterId())
        || !found.memberId().equals(identity.memberId())) {
      throw new StorageException(
          String.format(
              "%s is of member %s of cluster '%s', but this is member %s of cluster '%s'."
                  + " Start the member with the data directory that it was started with before.",
              disk.describe(file),
              found.memberId(),
              found.clusterId(),
              identity.memberId(),
              identity.clusterId()));
    }
    if (found.salt() != identity.salt()) {
      throw new StorageException(
          disk.describe(file)
              + " is of another data directory of this member. Do not mix files of several data"
              + " directories or backups; put back the whole directory as it was.");
    }
    if (header.number() != number) {
      throw damage(file, 0, "it was segment " + header.number() + " when it was written");
    }
    if (previousFile == null) {
      if (number == 1
          && (header.firstSequence() != 1 || !header.last().equals(LogPosition.START))) {
        throw damage(
            file,
            0,
            String.format(
                "it begins with frame %d behind entry %s, although it is the first",
                header.firstSequence(), header.last()));
      }
      nextSequence = header.firstSequence();
    }
    if (header.firstSequence() > nextSequence) {
      throw damage(
          previousFile,
          framesEnd,
          String.format(
              "frame %d is bad or missing, but %s goes on with frame %d",
              nextSequence, disk.describe(file), header.firstSequence()));
    }
    if (header.firstSequence() < nextSequence) {
      throw damage(
          file,
          0,
          String.format(
              "it begins with frame %d, but frame %d comes next",
              header.firstSequence(), nextSequence));
    }
    try {
      replay.begin(number, segment.limit(), header.last());
    } catch (IllegalArgumentException e) {
      throw damage(file, 0, e.getMessage());
    }
  }

  private void readFrame() throws StorageException {
    long sequence = FrameCodec.sequence(segment, framesEnd);
    if (sequence != nextSequence) {
      throw damage(
          file,
          framesEnd,
          String.format("frame %d stands where frame %d belongs", sequence, nextSequence));
    }
    int recordBytes = FrameCodec.recordBytes(segment, framesEnd);
    int start = framesEnd + FrameCodec.HEADER_BYTES;
    ByteBuffer records = segment.slice(start, recordBytes).order(segment.order());
    try {
      RecordCodec.decode(records, FrameCodec.recordCount(segment, framesEnd), replay);
    } catch (IllegalArgumentException e) {
      throw damage(
          file,
          framesEnd,
          String.format(
              "frame %d has a right checksum, but makes no sense: %s", sequence, e.getMessage()));
    }
    lastFrameStart = framesEnd;
    framesEnd += (int) FrameCodec.frameBytes(recordBytes);
    nextSequence++;
  }

  /** A good frame behind a bad one proves that the bad one was durable. */
  private void rejectLaterFrames(int inUse) throws StorageException {
    for (int offset = framesEnd + FrameCodec.ALIGNMENT;
        offset < inUse;
        offset += FrameCodec.ALIGNMENT) {
      if (frames.isFrame(segment, offset) && FrameCodec.sequence(segment, offset) > nextSequence) {
        throw damage(
            file,
            framesEnd,
            String.format(
                "frame %d is bad, but frame %d at offset %d is good",
                nextSequence, FrameCodec.sequence(segment, offset), offset));
      }
    }
  }

  /** Up to where the segment holds anything but the zeros that it was made of. */
  private int bytesInUse() {
    int end = segment.limit();
    while (end - Long.BYTES >= framesEnd && segment.getLong(end - Long.BYTES) == 0) {
      end -= Long.BYTES;
    }
    while (end > framesEnd && segment.get(end - 1) == 0) {
      end--;
    }
    return end;
  }

  /**
   * Makes the end of the log durable as it was read.
   *
   * <p>The last frame is written again: if its force failed before the member stopped, the page
   * cache may show it although the disk never got it, and forcing alone would not bring it there.
   * Rewriting a frame that is on disk changes no byte of it, so a power cut in between is harmless.
   */
  private Segment repairTail(long number, int tornBytes) throws IOException {
    DiskFile open = disk.open(file);
    try {
      open.write(segment.duplicate().limit(framesEnd).position(lastFrameStart), lastFrameStart);
      if (tornBytes > 0) {
        open.write(ByteBuffer.allocate(tornBytes), framesEnd);
      }
      open.force();
    } catch (IOException | RuntimeException e) {
      open.close();
      throw e;
    }
    return new Segment(number, open, framesEnd, segment.limit());
  }

  private StorageException damage(String name, long offset, String what) {
    RecoveredLog read = replay.log();
    String good = read.entries().isEmpty() ? "none" : "up to " + read.lastIndex();
    return new StorageException(
        String.format(
            "%s is damaged at offset %d: %s (good entries: %s). This is not the trace of a crash:"
                + " what is missing was safe on disk, and this member may have promised it to"
                + " others, so it must not start without it. Do not repair or delete files. If you"
                + " have an exact copy of the data directory from when the member last stopped, put"
                + " it back. Otherwise keep the directory aside and restore the member from the"
                + " others: take it out of the cluster and add it again with a new member id and an"
                + " empty data directory.",
            disk.describe(name), offset, what, good));
  }
}

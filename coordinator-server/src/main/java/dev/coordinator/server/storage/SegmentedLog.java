// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.WriteBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.Executor;

/**
 * The write-ahead log of one member as a single-threaded object: {@link #write} puts batches down
 * as one frame, {@link #sync} makes that frame durable.
 *
 * <p>Each frame is synced before the next is written; recovery rests on that. After any exception
 * the log is broken and refuses every call: a failed fsync says nothing about what is on disk, and
 * a second one that succeeds would say nothing either.
 */
public final class SegmentedLog implements RecoverableLog, AutoCloseable {

  private enum State {
    READY,
    WRITTEN,
    BROKEN
  }

  private static final int INITIAL_BUFFER_BYTES = 64 << 10;

  private final Disk disk;
  private final LogIdentity identity;
  private final FrameCodec frames;
  private final LogShape shape;
  private final SegmentList segments;
  private final SpareSegment spare;
  private final int tornBytes;

  private RecoveredLog recovered;
  private ByteBuffer buffer = newBuffer(INITIAL_BUFFER_BYTES);
  private State state = State.READY;
  private Segment tail;

  /** A segment that holds the written frame but has no name yet, or null. */
  private Segment begun;

  private long nextSequence;
  private int frameBytes;

  private SegmentedLog(
      Disk disk,
      LogIdentity identity,
      SegmentedLogConfig config,
      LogRecovery.Result found,
      Executor preparer) {
    this.disk = disk;
    this.identity = identity;
    this.frames = new FrameCodec(identity.salt());
    this.shape = found.shape();
    this.segments = found.segments();
    this.spare = new SpareSegment(disk, config.segmentBytes(), preparer);
    this.tornBytes = found.tornBytes();
    this.recovered = found.log();
    this.tail = found.tail();
    this.nextSequence = found.nextSequence();
  }

  /**
   * Opens the log that is on the disk, or begins one if there is none.
   *
   * @param preparer runs the preparation of the next segment; it may run it at once, in the caller
   * @throws StorageException if the log is damaged or someone else's
   */
  public static SegmentedLog open(
      Disk disk, LogIdentity identity, SegmentedLogConfig config, Executor preparer)
      throws IOException {
    LogRecovery.Result found = new LogRecovery(disk, identity).run();
    SegmentedLog log = new SegmentedLog(disk, identity, config, found, preparer);
    if (found.tail() == null) {
      try {
        log.beginSegment(List.of(), 0, 0);
        log.sync();
      } catch (IOException | RuntimeException e) {
        log.close();
        throw e;
      }
    } else {
      log.spare.prepare();
    }
    return log;
  }

  /** Whether there is anything of a log on the disk. */
  static boolean exists(Disk disk) throws IOException {
    return disk.list().stream().anyMatch(SegmentHeader::isSegment);
  }

  /** What was on the disk. The log does not keep it, so this can be asked once. */
  @Override
  public RecoveredLog takeRecovered() {
    RecoveredLog taken = recovered;
    recovered = null;
    return taken;
  }

  @Override
  public void beginAnew(HardState hardState, LogPosition base) throws IOException {
    HardState changed = hardState.equals(shape.hardState()) ? null : hardState;
    write(List.of(new WriteBatch(0, changed, base, List.of())));
    sync();
  }

  /** How many bytes of a torn frame were cut off when the log was opened. */
  public int tornBytes() {
    return tornBytes;
  }

  public int segments() {
    return segments.count();
  }

  /** The size of all segments, with what is preallocated. */
  public long totalBytes() {
    return segments.totalBytes();
  }

  /** The size on disk of the last frame written. */
  public int frameBytes() {
    return frameBytes;
  }

  /** Writes batches, in order, as one frame. It must be synced before the next one. */
  public void write(List<WriteBatch> batches) throws IOException {
    enter(State.READY);
    long recordBytes = 0;
    int records = 0;
    for (int i = 0; i < batches.size(); i++) {
      recordBytes += RecordCodec.bytes(batches.get(i));
      records += RecordCodec.records(batches.get(i));
    }
    if (records == 0) {
      frameBytes = 0;
      state = State.READY;
      return;
    }
    if (tail.fits(FrameCodec.frameBytes(recordBytes))) {
      reserve(FrameCodec.frameBytes(recordBytes));
      encodeFrame(batches, records);
      frameBytes = buffer.flip().limit();
      tail.file().write(buffer, tail.end());
    } else {
      beginSegment(batches, records, recordBytes);
    }
    state = State.WRITTEN;
  }

  /** Makes the written frame durable. Without one, there is nothing to do. */
  public void sync() throws IOException {
    if (state == State.READY) {
      return;
    }
    enter(State.WRITTEN);
    if (begun == null) {
      tail.file().force();
      tail = tail.withEnd(tail.end() + frameBytes);
    } else {
      nameSegment();
    }
    nextSequence++;
    state = State.READY;
  }

  /**
   * Deletes the segments that have nothing but what a durable snapshot up to this index covers,
   * oldest first. One deletion is made durable before the next, so that a power cut leaves no gap.
   *
   * @return how many were deleted
   */
  public int dropUpTo(long index) throws IOException {
    enter(State.READY);
    shape.covered(index);
    int dropped = 0;
    for (long number = segments.coveredBy(index); number != 0; number = segments.coveredBy(index)) {
      disk.delete(SegmentHeader.fileName(number));
      disk.syncDirectory();
      segments.removeOldest();
      dropped++;
    }
    state = State.READY;
    return dropped;
  }

  /**
   * Writes a segment's header and its first frame, which opens with the hard state so that no
   * earlier segment is needed to know it, into the spare file.
   */
  private void beginSegment(List<WriteBatch> batches, int records, long recordBytes)
      throws IOException {
    long number = tail == null ? 1 : tail.number() + 1;
    long bytes = FrameCodec.frameBytes(recordBytes + RecordCodec.HARD_STATE_BYTES);
    reserve(SegmentHeader.BYTES + bytes);
    DiskFile file = spare.take();
    begun =
        new Segment(
            number,
            file,
            SegmentHeader.BYTES + bytes,
            Math.max(file.size(), SegmentHeader.BYTES + bytes));
    new SegmentHeader(identity, number, nextSequence, shape.last()).encode(buffer);
    segments.begin(number, begun.capacity());
    int start = buffer.position();
    buffer.position(start + FrameCodec.HEADER_BYTES);
    RecordCodec.encode(shape.hardState(), buffer);
    encodeRecords(batches);
    frames.seal(buffer, start, nextSequence, records + 1);
    frameBytes = buffer.flip().limit();
    file.write(buffer, 0);
    state = State.WRITTEN;
  }

  /** Only a segment whose first frame is durable gets a name, so that frame is never torn. */
  private void nameSegment() throws IOException {
    begun.file().force();
    disk.rename(SpareSegment.NAME, SegmentHeader.fileName(begun.number()));
    disk.syncDirectory();
    Segment full = tail;
    tail = begun;
    begun = null;
    if (full != null) {
      full.file().close();
    }
    spare.prepare();
  }

  private void encodeFrame(List<WriteBatch> batches, int records) {
    buffer.position(FrameCodec.HEADER_BYTES);
    encodeRecords(batches);
    frames.seal(buffer, 0, nextSequence, records);
  }

  private void encodeRecords(List<WriteBatch> batches) {
    for (int i = 0; i < batches.size(); i++) {
      WriteBatch batch = batches.get(i);
      if (batch.hardState() != null) {
        shape.accept(batch.hardState());
        RecordCodec.encode(batch.hardState(), buffer);
      }
      if (batch.base() != null) {
        shape.acceptBase(batch.base());
        segments.base(batch.base().index());
        RecordCodec.encodeBase(batch.base(), buffer);
      }
      List<Entry> entries = batch.entries();
      for (int j = 0; j < entries.size(); j++) {
        shape.accept(entries.get(j));
        segments.entry(entries.get(j).index());
        RecordCodec.encode(entries.get(j), buffer);
      }
    }
  }

  private void reserve(long bytes) throws StorageException {
    if (bytes > SegmentedLogConfig.MAX_SEGMENT_BYTES) {
      throw new StorageException(
          "a write of " + bytes + " bytes is larger than the log can read again");
    }
    if (buffer.capacity() < bytes) {
      buffer = newBuffer((int) Math.max(bytes, 2L * buffer.capacity()));
    }
    buffer.clear();
  }

  private static ByteBuffer newBuffer(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Leaves the log broken until the call has done all it should. */
  private void enter(State expected) throws IOException {
    if (state == State.BROKEN) {
      throw new IOException("the log failed before and takes no more writes");
    }
    if (state != expected) {
      throw new IllegalStateException("the log is " + state + ", not " + expected);
    }
    state = State.BROKEN;
  }

  @Override
  public void close() throws IOException {
    state = State.BROKEN;
    try (spare) {
      if (begun != null) {
        begun.file().close();
      }
      if (tail != null) {
        tail.file().close();
      }
    }
  }
}

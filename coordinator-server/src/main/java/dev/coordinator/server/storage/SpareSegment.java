// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;

/**
 * The file that becomes the next segment, filled with zeros while the present one is in use, so
 * that a new segment costs the log hardly more than any other frame.
 */
final class SpareSegment implements Closeable {

  static final String NAME = "spare.tmp";

  /** Forced piece by piece, so that the log's own writes never queue behind all of it. */
  private static final int PIECE_BYTES = 1 << 20;

  private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(PIECE_BYTES).asReadOnlyBuffer();

  private final Disk disk;
  private final int bytes;
  private final Executor executor;
  private FutureTask<DiskFile> preparation;

  SpareSegment(Disk disk, int bytes, Executor executor) {
    this.disk = disk;
    this.bytes = bytes;
    this.executor = executor;
  }

  /** Begins to make a file. The one before must have been taken and renamed. */
  void prepare() {
    preparation = new FutureTask<>(this::create);
    executor.execute(preparation);
  }

  /** The file, named {@link #NAME} and owned by the caller. Waits until it is ready. */
  DiskFile take() throws IOException {
    if (preparation == null) {
      return create();
    }
    try {
      return await();
    } catch (ExecutionException e) {
      // The disk may have been full for a while: a file from scratch decides.
      if (disk.list().contains(NAME)) {
        disk.delete(NAME);
      }
      return create();
    }
  }

  private DiskFile await() throws IOException, ExecutionException {
    FutureTask<DiskFile> running = preparation;
    preparation = null;
    try {
      return running.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while the next segment was being prepared");
    }
  }

  private DiskFile create() throws IOException {
    DiskFile file = disk.create(NAME);
    try {
      for (int done = 0; done < bytes; done += PIECE_BYTES) {
        file.write(ZEROS.duplicate().limit(Math.min(PIECE_BYTES, bytes - done)), done);
        file.force();
      }
      return file;
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** Removes a file that was not taken. */
  @Override
  public void close() throws IOException {
    if (preparation == null) {
      return;
    }
    try {
      await().close();
    } catch (ExecutionException e) {
      return; // Nobody needed it; what is left of it goes when the log is opened.
    }
    disk.delete(NAME);
  }
}

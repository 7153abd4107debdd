// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import dev.coordinator.server.metrics.StorageMetrics;
import dev.coordinator.server.ports.Inbox;
import dev.coordinator.server.ports.LogStore;
import dev.coordinator.server.ports.TimeSource;
import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.WriteBatch;
import java.io.IOException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log of a running member: a {@link SegmentedLog} with one thread that writes it, and one that
 * prepares segments ahead.
 *
 * <p>Its life is open, {@link #takeRecovered}, {@link #start}, any number of {@link #append},
 * {@link #close}.
 */
public final class SegmentedLogStore implements LogStore, RecoverableLog, AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(SegmentedLogStore.class);

  private final SegmentedLog segments;
  private final SegmentedLogConfig config;
  private final StorageMetrics metrics;
  private final TimeSource time;
  private final ExecutorService preparer;
  private volatile LogWriter writer;
  private Thread thread;
  private boolean closed;

  private SegmentedLogStore(
      SegmentedLog segments,
      SegmentedLogConfig config,
      StorageMetrics metrics,
      TimeSource time,
      ExecutorService preparer) {
    this.segments = segments;
    this.config = config;
    this.metrics = metrics;
    this.time = time;
    this.preparer = preparer;
  }

  /**
   * Reads the log of a data directory, or begins one. The directory must stay open for as long as
   * the store is.
   *
   * @throws StorageException if the log is damaged, missing, or of another member
   */
  public static SegmentedLogStore open(
      DataDirectory directory, SegmentedLogConfig config, StorageMetrics metrics, TimeSource time)
      throws IOException {
    directory.expectLog();
    SegmentedLogStore store =
        open(directory.logDisk(), directory.identity(), config, metrics, time);
    try {
      directory.logBegun();
    } catch (IOException | RuntimeException e) {
      store.close();
      throw e;
    }
    return store;
  }

  static SegmentedLogStore open(
      Disk disk,
      LogIdentity identity,
      SegmentedLogConfig config,
      StorageMetrics metrics,
      TimeSource time)
      throws IOException {
    ExecutorService preparer =
        Executors.newSingleThreadExecutor(task -> daemon(task, "log-preparer"));
    try {
      SegmentedLog segments = SegmentedLog.open(disk, identity, config, preparer);
      metrics.segments(segments.segments(), segments.totalBytes());
      return new SegmentedLogStore(segments, config, metrics, time, preparer);
    } catch (IOException | RuntimeException e) {
      preparer.shutdown();
      throw e;
    }
  }

  /** What the member remembers. Asked once, before {@link #start}. */
  @Override
  public RecoveredLog takeRecovered() {
    RecoveredLog recovered = segments.takeRecovered();
    log.info(
        "log opened: {} entries, last index {}, term {}, {} segments, {} torn bytes cut",
        recovered.entries().size(),
        recovered.lastIndex(),
        recovered.hardState().term(),
        segments.segments(),
        segments.tornBytes());
    return recovered;
  }

  /** Called before {@link #start}, if at all. */
  @Override
  public void beginAnew(HardState hardState, LogPosition base) throws IOException {
    segments.beginAnew(hardState, base);
    log.info("the log begins anew behind entry {}, which a snapshot leads to", base);
  }

  /** Begins to write; what happens is reported to the inbox. */
  public synchronized void start(Inbox inbox) {
    if (thread != null || closed) {
      throw new IllegalStateException("the log store was started or closed before");
    }
    writer = new LogWriter(segments, config.maxFrameBytes(), inbox, metrics, time);
    thread = daemon(writer, "log-writer");
    thread.start();
  }

  @Override
  public void append(WriteBatch batch) {
    LogWriter started = writer;
    if (started == null) {
      throw new IllegalStateException("the log store was not started");
    }
    started.append(batch);
  }

  @Override
  public void dropUpTo(long index) {
    LogWriter started = writer;
    if (started == null) {
      throw new IllegalStateException("the log store was not started");
    }
    started.dropUpTo(index);
  }

  /** Writes what was appended, and lets go of the files. Batches appended later are dropped. */
  @Override
  public synchronized void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    if (thread != null) {
      writer.stop();
      awaitWriter();
    }
    try {
      segments.close();
    } finally {
      preparer.shutdown();
    }
  }

  /** A member that closes everything from within {@link Inbox#failed} is on the writer's thread. */
  private void awaitWriter() {
    boolean interrupted = false;
    while (thread != Thread.currentThread() && thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        // The files must not be closed under the writer.
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }
}

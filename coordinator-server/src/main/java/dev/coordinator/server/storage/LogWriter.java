// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import dev.coordinator.server.metrics.StorageMetrics;
import dev.coordinator.server.ports.Inbox;
import dev.coordinator.server.ports.TimeSource;
import dev.coordinator.server.raft.WriteBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The loop that makes batches durable: it takes all that wait, writes them as one frame, syncs
 * once, and reports the last one. While it syncs, the next group gathers; nobody waits for a timer.
 *
 * <p>The first failure is reported once and ends the loop: nothing after it is ever acknowledged.
 */
final class LogWriter implements Runnable {

  private static final Logger log = LoggerFactory.getLogger(LogWriter.class);

  /** What waits for its turn. */
  private sealed interface Request permits Append, Drop, Stop {}

  private record Append(WriteBatch batch) implements Request {}

  private record Drop(long index) implements Request {}

  private record Stop() implements Request {}

  private final SegmentedLog segments;
  private final long maxFrameBytes;
  private final Inbox inbox;
  private final StorageMetrics metrics;
  private final TimeSource time;
  private final BlockingQueue<Request> queue = new LinkedBlockingQueue<>();
  private final List<WriteBatch> group = new ArrayList<>();

  /** The request that ended the group, or null. */
  private Request afterGroup;

  private volatile boolean ended;

  LogWriter(
      SegmentedLog segments,
      long maxFrameBytes,
      Inbox inbox,
      StorageMetrics metrics,
      TimeSource time) {
    this.segments = segments;
    this.maxFrameBytes = maxFrameBytes;
    this.inbox = inbox;
    this.metrics = metrics;
    this.time = time;
  }

  /**
   * Thread-safe. After the end of the loop a batch is dropped, which is never to acknowledge it.
   */
  void append(WriteBatch batch) {
    if (!ended) {
      queue.add(new Append(batch));
    }
  }

  /** Thread-safe. Drops segments after the batches appended before. */
  void dropUpTo(long index) {
    if (!ended) {
      queue.add(new Drop(index));
    }
  }

  /** Lets the loop end after the batches appended before. */
  void stop() {
    queue.add(new Stop());
  }

  @Override
  public void run() {
    try {
      while (!(afterGroup instanceof Stop)) {
        gather();
        if (!group.isEmpty()) {
          commit();
        }
        if (afterGroup instanceof Drop drop) {
          drop(drop.index());
        }
      }
    } catch (Throwable cause) {
      // An Error as well: a member whose log has stopped must not go on without it.
      ended = true;
      inbox.failed(cause);
      log.error(
          "the log cannot be written any more, the member has to stop; batches from {} on are not"
              + " acknowledged",
          group.isEmpty() ? "the next" : group.get(0).number(),
          cause);
    } finally {
      ended = true;
      queue.clear();
    }
  }

  private void gather() throws InterruptedException {
    group.clear();
    long bytes = 0;
    Request next = queue.take();
    while (next instanceof Append append) {
      group.add(append.batch());
      bytes += RecordCodec.bytes(append.batch());
      next = bytes < maxFrameBytes ? queue.poll() : null;
    }
    afterGroup = next;
  }

  private void drop(long index) throws IOException {
    int dropped = segments.dropUpTo(index);
    if (dropped > 0) {
      metrics.segments(segments.segments(), segments.totalBytes());
      log.info("dropped {} segments of the log up to entry {}", dropped, index);
    }
  }

  private void commit() throws IOException {
    segments.write(group);
    long startNanos = time.nanoTime();
    segments.sync();
    metrics.synced(time.nanoTime() - startNanos);
    metrics.written(segments.frameBytes(), entries());
    metrics.segments(segments.segments(), segments.totalBytes());
    inbox.persisted(group.get(group.size() - 1).number());
  }

  private int entries() {
    int entries = 0;
    for (int i = 0; i < group.size(); i++) {
      entries += group.get(i).entries().size();
    }
    return entries;
  }
}

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

  private static final WriteBatch STOP = new WriteBatch(-1, null, List.of());

  private final SegmentedLog segments;
  private final long maxFrameBytes;
  private final Inbox inbox;
  private final StorageMetrics metrics;
  private final TimeSource time;
  private final BlockingQueue<WriteBatch> queue = new LinkedBlockingQueue<>();
  private final List<WriteBatch> group = new ArrayList<>();
  private boolean stopping;
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
      queue.add(batch);
    }
  }

  /** Lets the loop end after the batches appended before. */
  void stop() {
    queue.add(STOP);
  }

  @Override
  public void run() {
    try {
      while (!stopping) {
        gather();
        if (!group.isEmpty()) {
          commit();
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
    WriteBatch next = queue.take();
    while (next != null && !isStop(next)) {
      group.add(next);
      bytes += RecordCodec.bytes(next);
      next = bytes < maxFrameBytes ? queue.poll() : null;
    }
    stopping = next != null && isStop(next);
  }

  @SuppressWarnings("ReferenceEquality") // A mark, whatever it contains.
  private static boolean isStop(WriteBatch batch) {
    return batch == STOP;
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

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import static dev.coordinator.server.storage.LogFixture.IDENTITY;
import static dev.coordinator.server.storage.LogFixture.SMALL;
import static dev.coordinator.server.storage.LogFixture.base;
import static dev.coordinator.server.storage.LogFixture.entries;
import static dev.coordinator.server.storage.LogFixture.recover;
import static dev.coordinator.server.storage.LogFixture.segmentNames;
import static dev.coordinator.server.storage.LogFixture.vote;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.metrics.StorageMetrics;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.storage.SimulatedDisk.Operation;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The log with its threads: group commit, and what happens when the disk fails. */
final class SegmentedLogStoreTest {

  private static final String FIRST = "0000000001.wal";

  private final SimulatedDisk disk = new SimulatedDisk();
  private final MeterRegistry registry = new SimpleMeterRegistry();
  private final RecordingInbox inbox = new RecordingInbox();
  private final AtomicLong clockNanos = new AtomicLong();

  private SegmentedLogStore open(SegmentedLogConfig config) throws IOException {
    return SegmentedLogStore.open(
        disk,
        IDENTITY,
        config,
        new StorageMetrics(registry),
        () -> clockNanos.addAndGet(1_000_000));
  }

  private SegmentedLogStore started() throws IOException {
    SegmentedLogStore store = open(SMALL);
    store.start(inbox);
    return store;
  }

  private static SimulatedDisk.Fault failing(Operation failing, String failingFile) {
    return (operation, file) -> {
      if (operation == failing && file.equals(failingFile)) {
        throw new IOException("Input/output error");
      }
    };
  }

  @Test
  void batchesAreReportedInOrderAndComeBack() throws Exception {
    SegmentedLogStore store = started();
    for (int i = 1; i <= 100; i++) {
      store.append(entries(i, 1, i, 1, 30));
    }
    long reported = 0;
    while (reported < 100) {
      long next = (Long) inbox.next();
      assertTrue(next > reported, next + " after " + reported);
      reported = next;
    }
    store.close();
    assertEquals(100, recover(disk).entries().size());
  }

  @Test
  void batchesThatArriveDuringASyncShareTheNextOne() throws Exception {
    CountDownLatch syncing = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    AtomicInteger syncs = new AtomicInteger();
    try (SegmentedLogStore store = started()) {
      disk.setFault(
          (operation, file) -> {
            if (operation == Operation.FORCE && file.equals(FIRST)) {
              syncs.incrementAndGet();
              syncing.countDown();
              await(gate);
            }
          });
      store.append(entries(1, 1, 1, 1, 10));
      await(syncing);
      for (int i = 2; i <= 10; i++) {
        store.append(entries(i, 1, i, 1, 10));
      }
      assertEquals(List.of(), inbox.rest(), "nothing is durable before its sync has ended");
      gate.countDown();
      assertEquals(1L, inbox.next());
      assertEquals(10L, inbox.next());
      assertEquals(2, syncs.get());
    }
    assertEquals(List.of(), inbox.rest());
    assertEquals(10, recover(disk).entries().size());
  }

  @Test
  void aGroupIsNoLargerThanConfigured() throws Exception {
    CountDownLatch syncing = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    try (SegmentedLogStore store = open(new SegmentedLogConfig(1 << 20, 1000))) {
      store.start(inbox);
      disk.setFault(
          (operation, file) -> {
            if (operation == Operation.FORCE && file.equals(FIRST)) {
              syncing.countDown();
              await(gate);
            }
          });
      store.append(entries(1, 1, 1, 1, 10));
      await(syncing);
      for (int i = 2; i <= 8; i++) {
        store.append(entries(i, 1, i, 1, 400));
      }
      gate.countDown();
      // 430 bytes each: the third one reaches the limit and closes the group.
      assertEquals(
          List.of(1L, 4L, 7L, 8L), List.of(inbox.next(), inbox.next(), inbox.next(), inbox.next()));
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(60, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aFailedWriteIsReportedOnceAndNothingAfterItIsDurable() throws Exception {
    assertStopsAt(failing(Operation.WRITE, FIRST));
  }

  @Test
  void aFailedSyncIsReportedOnceAndNeverTriedAgain() throws Exception {
    AtomicInteger syncs = new AtomicInteger();
    assertStopsAt(
        (operation, file) -> {
          if (operation == Operation.FORCE && file.equals(FIRST) && syncs.incrementAndGet() == 1) {
            throw new IOException("Input/output error");
          }
        });
    assertEquals(1, syncs.get());
  }

  private void assertStopsAt(SimulatedDisk.Fault fault) throws Exception {
    SegmentedLogStore store = started();
    store.append(entries(1, 1, 1, 1, 10));
    assertEquals(1L, inbox.next());
    disk.setFault(fault);
    store.append(entries(2, 1, 2, 1, 10));
    assertEquals("Input/output error", ((IOException) inbox.next()).getMessage());
    store.append(entries(3, 1, 3, 1, 10));
    store.close();
    assertEquals(List.of(), inbox.rest());
    disk.setFault(SimulatedDisk.Fault.NONE);
    assertTrue(recover(disk).entries().size() <= 2, "batch 3 was never written");
  }

  @Test
  void aNewSegmentThatCannotBeNamedStopsTheLog() throws Exception {
    for (Operation operation : List.of(Operation.RENAME, Operation.SYNC_DIRECTORY)) {
      SimulatedDisk own = new SimulatedDisk();
      try (SegmentedLogStore store =
          SegmentedLogStore.open(
              own, IDENTITY, SMALL, new StorageMetrics(new SimpleMeterRegistry()), () -> 0)) {
        store.start(inbox);
        own.setFault(
            (next, file) -> {
              if (next == operation) {
                throw new IOException("Input/output error");
              }
            });
        store.append(entries(1, 1, 1, 1, 3000));
        assertInstanceOf(IOException.class, inbox.next());
      }
      assertEquals(List.of(), inbox.rest());
    }
  }

  @Test
  void aFullDiskStopsTheLogAndKeepsWhatWasAcknowledged() throws Exception {
    SegmentedLogStore store = started();
    disk.setCapacityBytes(20_000);
    int number = 0;
    Object report;
    do {
      number++;
      store.append(entries(number, 1, number, 1, 700));
      report = inbox.next();
    } while (report.equals((long) number));
    assertEquals("No space left on device", ((IOException) report).getMessage());
    store.close();
    assertTrue(number > 10, number + " batches");
    disk.kill();
    disk.setCapacityBytes(Long.MAX_VALUE);
    assertEquals(number - 1, recover(disk).entries().size());
  }

  @Test
  void aSegmentThatCouldNotBePreparedIsMadeWhenItIsNeeded() throws Exception {
    disk.setFault(
        new SimulatedDisk.Fault() {
          private int forces;

          @Override
          public void before(Operation operation, String file) throws IOException {
            // The first two make segment 1 and give it its name.
            if (operation == Operation.FORCE && file.equals(SpareSegment.NAME) && ++forces == 3) {
              throw new IOException("No space left on device");
            }
          }
        });
    try (SegmentedLogStore store = started()) {
      store.append(entries(1, 1, 1, 1, 3000));
      assertEquals(1L, inbox.next());
    }
    assertEquals(1, recover(disk).entries().size());
  }

  @Test
  void segmentsAreDroppedInTheOrderOfBatches() throws Exception {
    try (SegmentedLogStore store = started()) {
      for (int i = 1; i <= 9; i++) {
        store.append(entries(i, 1, i, 1, 1500));
      }
      store.dropUpTo(8);
      store.append(base(10, 20, 2));
      store.append(entries(11, 2, 21, 1, 1500));
      store.dropUpTo(20);
      store.append(entries(12, 2, 22, 1, 1500));
    }
    RecoveredLog recovered = recover(disk);
    assertEquals(new LogPosition(20, 2), recovered.base());
    assertEquals(entries(0, 2, 21, 2, 1500).entries(), recovered.entries());
    assertEquals(2, segmentNames(disk).size());
    assertEquals(2, registry.get("coordinator.wal.segments").gauge().value());
  }

  @Test
  void aSegmentThatCannotBeDroppedStopsTheLog() throws Exception {
    try (SegmentedLogStore store = started()) {
      store.append(entries(1, 1, 1, 1, 1500));
      assertEquals(1L, inbox.next());
      disk.setFault(failing(Operation.DELETE, FIRST));
      store.dropUpTo(1);
      assertEquals("Input/output error", ((IOException) inbox.next()).getMessage());
    }
    disk.setFault(SimulatedDisk.Fault.NONE);
    assertEquals(1, recover(disk).entries().size());
  }

  @Test
  void closingWritesWhatWasAppendedBefore() throws Exception {
    SegmentedLogStore store = started();
    for (int i = 1; i <= 300; i++) {
      store.append(entries(i, 1, i, 1, 100));
    }
    store.close();
    store.append(entries(301, 1, 301, 1, 100));
    store.close();
    List<Object> reports = inbox.rest();
    assertEquals(300L, reports.get(reports.size() - 1));
    assertEquals(300, recover(disk).entries().size());
    assertTrue(disk.list().stream().allMatch(SegmentHeader::isSegment), disk.list().toString());
  }

  @Test
  void aMemberMayCloseItsLogWhileItIsToldOfAFailure() throws Exception {
    SegmentedLogStore store = open(SMALL);
    CountDownLatch closed = new CountDownLatch(1);
    store.start(
        new RecordingInbox() {
          @Override
          public void failed(Throwable cause) {
            try {
              store.close();
            } catch (IOException e) {
              throw new AssertionError(e);
            }
            closed.countDown();
          }
        });
    disk.setFault(failing(Operation.FORCE, FIRST));
    store.append(vote(1, 1, 1));
    await(closed);
  }

  @Test
  void aBatchThatMakesNoSenseStopsTheMember() throws Exception {
    try (SegmentedLogStore store = started()) {
      store.append(entries(1, 1, 5, 1, 1));
      assertInstanceOf(IllegalArgumentException.class, inbox.next());
    }
    assertEquals(0, recover(disk).entries().size());
  }

  @Test
  void appendingBeforeTheStartIsAMistake() throws Exception {
    try (SegmentedLogStore store = open(SMALL)) {
      assertThrows(IllegalStateException.class, () -> store.append(vote(1, 1, 1)));
    }
  }

  @Test
  void metricsTellWhatHappened() throws Exception {
    try (SegmentedLogStore store = started()) {
      store.append(entries(1, 1, 1, 3, 10));
      inbox.next();
      store.append(entries(2, 1, 4, 1, 3000));
      inbox.next();
    }
    assertEquals(2, registry.get("coordinator.wal.fsync.duration").timer().count());
    assertEquals(
        2, registry.get("coordinator.wal.fsync.duration").timer().totalTime(TimeUnit.MILLISECONDS));
    assertEquals(4, registry.get("coordinator.wal.batch.entries").summary().totalAmount());
    // A frame of three entries; a header and a frame of the hard state and one entry.
    assertEquals(
        (double)
            (FrameCodec.frameBytes(3 * 40)
                + SegmentHeader.BYTES
                + FrameCodec.frameBytes(17 + 3030)),
        registry.get("coordinator.wal.write.bytes").counter().count());
    assertEquals(2, registry.get("coordinator.wal.segments").gauge().value());
    assertEquals(
        disk.content(FIRST).length + disk.content("0000000002.wal").length,
        registry.get("coordinator.wal.size").gauge().value());
  }

  @Test
  void prometheusSeesTheMetricsUnderTheirNames() {
    PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    StorageMetrics metrics = new StorageMetrics(prometheus);
    metrics.synced(1_500_000);
    metrics.written(100, 3);
    metrics.segments(2, 4096);
    List<String> lines = prometheus.scrape().lines().toList();
    for (String expected :
        List.of(
            "coordinator_wal_fsync_duration_seconds_bucket{le=\"0.001\"} 0",
            "coordinator_wal_fsync_duration_seconds_bucket{le=\"0.002\"} 1",
            "coordinator_wal_write_bytes_total 100.0",
            "coordinator_wal_batch_entries_bucket{le=\"4.0\"} 1",
            "coordinator_wal_segments 2.0",
            "coordinator_wal_size_bytes 4096.0")) {
      assertTrue(lines.contains(expected), () -> expected + " in " + lines);
    }
  }

  @Test
  void theLogOfADataDirectoryIsPreallocatedAndComesBack(@TempDir Path path) throws Exception {
    SegmentedLogConfig config = new SegmentedLogConfig(1 << 16, 1 << 16);
    for (int i = 0; i < 3; i++) {
      try (DataDirectory directory = DataDirectory.open(path, "c", new NodeId(1));
          SegmentedLogStore store =
              SegmentedLogStore.open(
                  directory, config, new StorageMetrics(registry), System::nanoTime)) {
        assertEquals(50 * i, store.takeRecovered().entries().size());
        store.start(inbox);
        for (int j = 1; j <= 50; j++) {
          int index = 50 * i + j;
          store.append(entries(index, 1, index, 1, 1000));
        }
      }
      List<Object> reports = inbox.rest();
      assertEquals(50L * (i + 1), reports.get(reports.size() - 1));
    }
    try (Stream<Path> files = Files.list(path.resolve("log"))) {
      List<Path> segments = files.sorted().toList();
      assertEquals("0000000001.wal", segments.get(0).getFileName().toString());
      assertTrue(segments.size() >= 3, segments.toString());
      for (Path segment : segments) {
        assertTrue(SegmentHeader.isSegment(segment.getFileName().toString()), segment.toString());
        assertEquals(1 << 16, Files.size(segment), segment.toString());
      }
    }
  }
}

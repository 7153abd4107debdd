// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import static dev.coordinator.server.storage.snapshot.SnapshotFixture.LEADER;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.MEMBERS;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.SMALL;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.meta;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.request;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.state;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.text;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.machine.CoordinatorMachine;
import dev.coordinator.server.metrics.SnapshotMetrics;
import dev.coordinator.server.metrics.StorageMetrics;
import dev.coordinator.server.ports.SnapshotInbox;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.Outbox;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.SnapshotMeta;
import dev.coordinator.server.storage.DataDirectory;
import dev.coordinator.server.storage.LogFixture;
import dev.coordinator.server.storage.SegmentedLogConfig;
import dev.coordinator.server.storage.SegmentedLogStore;
import dev.coordinator.server.storage.SimulatedDisk;
import dev.coordinator.server.storage.SimulatedDisk.Operation;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots with their thread, and what a member hears of them. */
final class FileSnapshotStoreTest {

  private record Saved(SnapshotMeta snapshot) {}

  private record Gone(Outbox.ChunkRequest request) {}

  private record Damaged(LogPosition last) {}

  private record StoredPart(RaftMessage.InstallSnapshot chunk, long nextOffset) {}

  private record Received(RaftMessage.InstallSnapshot last, CoordinatorMachine machine) {}

  /** Keeps what is reported, in order, to be waited for. */
  private static class Reports implements SnapshotInbox {
    private final BlockingQueue<Object> all = new LinkedBlockingQueue<>();

    <T> T next(Class<T> expected) throws InterruptedException {
      Object report = all.poll(60, TimeUnit.SECONDS);
      assertNotNull(report, "no report");
      return assertInstanceOf(expected, report);
    }

    @Override
    public void snapshotSaved(SnapshotMeta snapshot) {
      all.add(new Saved(snapshot));
    }

    @Override
    public void chunkRead(RaftMessage.InstallSnapshot chunk) {
      all.add(chunk);
    }

    @Override
    public void snapshotGone(Outbox.ChunkRequest request) {
      all.add(new Gone(request));
    }

    @Override
    public void snapshotDamaged(LogPosition last) {
      all.add(new Damaged(last));
    }

    @Override
    public void chunkStored(RaftMessage.InstallSnapshot chunk, long nextOffset) {
      all.add(new StoredPart(chunk, nextOffset));
    }

    @Override
    public void snapshotReceived(RaftMessage.InstallSnapshot last, CoordinatorMachine machine) {
      all.add(new Received(last, machine));
    }

    @Override
    public void failed(Throwable cause) {
      all.add(cause);
    }
  }

  private final SimulatedDisk disk = new SimulatedDisk();
  private final MeterRegistry registry = new SimpleMeterRegistry();
  private final Reports reports = new Reports();
  private final AtomicLong clockNanos = new AtomicLong();

  private FileSnapshotStore open(SimulatedDisk on) throws IOException {
    return FileSnapshotStore.open(
        SnapshotFixture.open(on),
        LogFixture.IDENTITY,
        SMALL,
        new SnapshotMetrics(registry),
        () -> clockNanos.addAndGet(1_000_000));
  }

  private FileSnapshotStore started(SimulatedDisk on) throws IOException {
    FileSnapshotStore store = open(on);
    store.start(reports);
    return store;
  }

  private double counted(String counter) {
    return registry.get(counter).counter().count();
  }

  @Test
  void aSnapshotGoesFromOneMemberToAnother() throws Exception {
    SnapshotMeta meta = meta(40, 3);
    try (FileSnapshotStore leader = started(disk);
        FileSnapshotStore follower = started(new SimulatedDisk())) {
      leader.save(meta, state(40));
      assertEquals(meta, reports.next(Saved.class).snapshot());
      assertEquals(40, registry.get("coordinator.snapshot.index").gauge().value());
      long size = disk.content(disk.list().get(0)).length;
      assertEquals(size, registry.get("coordinator.snapshot.size.bytes").gauge().value());
      assertEquals(1, registry.get("coordinator.snapshot.save.duration").timer().count());
      long offset = 0;
      while (offset < size - SMALL.chunkBytes()) {
        leader.read(request(meta, offset));
        follower.receive(reports.next(RaftMessage.InstallSnapshot.class));
        offset = reports.next(StoredPart.class).nextOffset();
      }
      leader.read(request(meta, offset));
      follower.receive(reports.next(RaftMessage.InstallSnapshot.class));
      Received received = reports.next(Received.class);
      assertEquals(text(meta, state(40)), text(meta, received.machine().freeze()));
      assertEquals(size, counted("coordinator.snapshot.sent.bytes"));
      assertEquals(1, counted("coordinator.snapshot.received"));
      assertEquals(0, counted("coordinator.snapshot.parts.refused"));
    }
  }

  @Test
  void theNewestIsExportedAndStaysReadable() throws Exception {
    try (FileSnapshotStore store = started(disk)) {
      assertEquals(Optional.empty(), store.export(0).get());
      save(store, 40);
      byte[] content = disk.content(disk.list().get(0));
      try (SnapshotExport export = store.export(40).get().orElseThrow()) {
        for (long index = 41; index <= 45; index++) {
          save(store, index);
        }
        assertEquals(2, disk.list().size());
        assertEquals(meta(40, 3).last(), export.last());
        assertEquals(content.length, export.bytes());
        assertArrayEquals(content, export.read(0, 1 << 20));
        assertArrayEquals(Arrays.copyOfRange(content, 7, 19), export.read(7, 12));
        assertArrayEquals(new byte[0], export.read(content.length, 12));
      }
      try (SnapshotExport export = store.export(44).get().orElseThrow()) {
        assertEquals(meta(45, 3).last(), export.last());
      }
    }
  }

  @Test
  void aDamagedOneIsNotExportedNorAnOlderOneInItsPlace() throws Exception {
    try (FileSnapshotStore store = started(disk)) {
      save(store, 40);
      save(store, 41);
      flipBit(disk.list().get(1));
      assertEquals(Optional.empty(), store.export(41).get());
      assertEquals(meta(41, 3).last(), reports.next(Damaged.class).last());
      assertEquals(1, counted("coordinator.snapshot.damaged"));
      assertEquals(Optional.empty(), store.export(41).get());

      save(store, 41);
      try (SnapshotExport export = store.export(41).get().orElseThrow()) {
        assertEquals(meta(41, 3).last(), export.last());
        assertArrayEquals(disk.content(disk.list().get(1)), export.read(0, 1 << 20));
      }
      assertEquals(0, reports.all.size());
    }
  }

  private void flipBit(String file) {
    byte[] content = disk.content(file);
    content[20] ^= 1;
    disk.replace(file, content);
  }

  private void save(FileSnapshotStore store, long index) throws InterruptedException {
    store.save(meta(index, 3), state(index));
    reports.next(Saved.class);
  }

  @Test
  void aSnapshotThatIsNotThereIsGone() throws Exception {
    try (FileSnapshotStore store = started(disk)) {
      Outbox.ChunkRequest request = request(meta(40, 3), 0);
      store.read(request);
      assertEquals(request, reports.next(Gone.class).request());
    }
  }

  @Test
  void aDamagedSnapshotIsGoneAndCounted() throws Exception {
    try (FileSnapshotStore store = started(disk)) {
      store.save(meta(40, 3), state(40));
      reports.next(Saved.class);
      flipBit(disk.list().get(0));
      store.read(request(meta(40, 3), 0));
      reports.next(Gone.class);
      assertEquals(1, counted("coordinator.snapshot.damaged"));
    }
  }

  @Test
  void aRefusedPartIsNotAnswered() throws Exception {
    try (FileSnapshotStore store = started(disk)) {
      store.receive(
          new RaftMessage.InstallSnapshot(
              LEADER, new NodeId(2), 9, meta(40, 3), 1000, 0, new byte[10], 99, 0, 0));
      store.read(request(meta(40, 3), 0));
      reports.next(Gone.class);
      assertEquals(1, counted("coordinator.snapshot.parts.refused"));
    }
  }

  @Test
  void aFailureIsReportedOnceAndEndsAll() throws Exception {
    for (Operation operation :
        List.of(
            Operation.CREATE,
            Operation.WRITE,
            Operation.FORCE,
            Operation.RENAME,
            Operation.SYNC_DIRECTORY)) {
      SimulatedDisk own = new SimulatedDisk();
      try (FileSnapshotStore store = started(own)) {
        own.setFault(
            (next, file) -> {
              if (next == operation) {
                throw new IOException("Input/output error");
              }
            });
        store.save(meta(40, 3), state(40));
        assertEquals("Input/output error", reports.next(IOException.class).getMessage());
        own.setFault(SimulatedDisk.Fault.NONE);
        store.save(meta(41, 3), state(41));
      }
      assertEquals(0, reports.all.size());
    }
  }

  @Test
  void aFullDiskIsReported() throws Exception {
    disk.setCapacityBytes(300);
    try (FileSnapshotStore store = started(disk)) {
      store.save(meta(40, 3), state(40));
      assertEquals("No space left on device", reports.next(IOException.class).getMessage());
    }
  }

  @Test
  void aStateThatCannotBeReadStopsTheMember() throws Exception {
    try (FileSnapshotStore store = started(disk)) {
      store.save(meta(41, 3), state(40));
      reports.next(IllegalArgumentException.class);
    }
  }

  @Test
  void noMorePartsWaitThanConfigured() throws Exception {
    CountDownLatch saving = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    try (FileSnapshotStore store = started(disk)) {
      disk.setFault(
          (operation, file) -> {
            if (operation == Operation.CREATE) {
              saving.countDown();
              await(gate);
            }
          });
      store.save(meta(40, 3), state(40));
      await(saving);
      for (int i = 0; i < SMALL.maxWaitingParts() + 5; i++) {
        store.read(request(meta(40, 3), 100L * i));
      }
      gate.countDown();
      reports.next(Saved.class);
      for (int i = 0; i < SMALL.maxWaitingParts(); i++) {
        reports.next(RaftMessage.InstallSnapshot.class);
      }
      assertEquals(5, counted("coordinator.snapshot.parts.refused"));
      store.read(request(meta(40, 3), 0));
      reports.next(RaftMessage.InstallSnapshot.class);
    }
  }

  @Test
  void closingWaitsForWhatIsUnderWayAndDropsWhatWaits() throws Exception {
    CountDownLatch saving = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    FileSnapshotStore store = started(disk);
    disk.setFault(
        (operation, file) -> {
          if (operation == Operation.CREATE) {
            saving.countDown();
            await(gate);
          }
        });
    store.save(meta(40, 3), state(40));
    store.save(meta(41, 3), state(41));
    await(saving);
    List<Throwable> thrown = new ArrayList<>();
    Thread closer =
        new Thread(
            () -> {
              try {
                store.close();
              } catch (IOException e) {
                thrown.add(e);
              }
            });
    closer.start();
    while (closer.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
    gate.countDown();
    closer.join();
    assertEquals(List.of(), thrown);
    reports.next(Saved.class);
    assertEquals(0, reports.all.size());
    store.save(meta(42, 3), state(42));
    assertEquals(1, disk.list().size());
  }

  @Test
  void aMemberMayCloseTheStoreWhileItIsToldOfAFailure() throws Exception {
    FileSnapshotStore store = open(disk);
    CountDownLatch closed = new CountDownLatch(1);
    store.start(
        new Reports() {
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
    store.save(meta(41, 3), state(40));
    await(closed);
  }

  @Test
  void aRequestBeforeTheStartIsAMistake() throws Exception {
    try (FileSnapshotStore store = open(disk)) {
      assertThrows(IllegalStateException.class, () -> store.save(meta(40, 3), state(40)));
    }
  }

  @Test
  void aDataDirectoryKeepsSnapshotsBesideItsLog(@TempDir Path path) throws Exception {
    for (int i = 0; i < 3; i++) {
      try (DataDirectory directory = DataDirectory.open(path, "c", new NodeId(1));
          SegmentedLogStore log =
              SegmentedLogStore.open(
                  directory,
                  new SegmentedLogConfig(1 << 16, 1 << 16),
                  new StorageMetrics(new SimpleMeterRegistry()),
                  System::nanoTime);
          FileSnapshotStore store =
              FileSnapshotStore.open(
                  directory,
                  SnapshotConfig.DEFAULT,
                  new SnapshotMetrics(registry),
                  System::nanoTime)) {
        RecoveredState recovered = store.recover(MEMBERS, log);
        assertEquals(i == 0 ? null : meta(10L * i, i), recovered.restored().snapshot());
        assertEquals(directory.identity().incarnation(), recovered.restored().incarnation());
        store.start(reports);
        store.save(meta(10L * (i + 1), i + 1), state(10L * (i + 1)));
        reports.next(Saved.class);
      }
    }
    Files.delete(path.resolve("identity"));
    assertTrue(
        assertThrows(IOException.class, () -> DataDirectory.open(path, "c", new NodeId(1)))
            .getMessage()
            .contains("has a log or snapshots, but its file 'identity' is missing"));
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(60, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import static dev.coordinator.server.storage.snapshot.SnapshotFixture.meta;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.state;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.machine.ApplyResult;
import dev.coordinator.server.machine.CoordinatorMachine;
import dev.coordinator.server.machine.MachineState;
import dev.coordinator.server.machine.RandomHistory;
import dev.coordinator.server.metrics.SnapshotMetrics;
import dev.coordinator.server.metrics.StorageMetrics;
import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RestoredState;
import dev.coordinator.server.raft.SnapshotMeta;
import dev.coordinator.server.storage.DataDirectory;
import dev.coordinator.server.storage.Disk;
import dev.coordinator.server.storage.SegmentedLogConfig;
import dev.coordinator.server.storage.SegmentedLogStore;
import dev.coordinator.server.storage.StorageException;
import dev.coordinator.server.wire.SnapshotCodec;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A backup is a file that can be checked by itself, and a new cluster can go on from it. */
final class SnapshotRestoreTest {

  private static final NodeId MEMBER = new NodeId(7);
  private static final Membership NEW_MEMBERS =
      new Membership(
          List.of(new MemberInfo(MEMBER, "new:1", "new:2", 0)),
          List.of(MEMBER),
          List.of(),
          List.of());

  @TempDir private Path temporary;

  private final SnapshotMeta meta = meta(40, 3);
  private final MachineState state = state(40);
  private Path backup;

  /** Copies the newest snapshot as a backup does. */
  @BeforeEach
  void writeBackup() throws IOException {
    Path old = Files.createDirectory(temporary.resolve("old"));
    backup = temporary.resolve("backup");
    try (SnapshotFiles files =
        SnapshotFiles.open(Disk.of(old), new MapDbSnapshotFormat(old), SnapshotConfig.DEFAULT)) {
      files.save(meta, state);
      try (SnapshotExport export = files.export().orElseThrow();
          var copy = Files.newOutputStream(backup)) {
        for (long offset = 0; offset < export.bytes(); offset += 1000) {
          copy.write(export.read(offset, 1000));
        }
      }
    }
  }

  private Path directory() {
    return temporary.resolve("data/member-7");
  }

  private SnapshotRestore restore() {
    return restore(1);
  }

  private static SnapshotRestore restore(int generation) {
    return new SnapshotRestore("new", NEW_MEMBERS, SnapshotRestore.DEFAULT_INDEX_GAP, generation);
  }

  private RecoveredState start() throws IOException {
    try (DataDirectory directory = DataDirectory.open(directory(), "new", MEMBER);
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
                new SnapshotMetrics(new SimpleMeterRegistry()),
                System::nanoTime)) {
      return store.recover(Membership.NONE, log);
    }
  }

  @Test
  void aBackupCanBeReadByItself() throws IOException {
    SnapshotCodec.Snapshot read = SnapshotReader.read(backup);
    assertEquals(text(meta, state), text(read.meta(), read.state()));
  }

  @Test
  void aBackupThatIsNotWholeIsRefused() throws IOException {
    byte[] content = Files.readAllBytes(backup);
    content[content.length / 3] ^= 1;
    Files.write(backup, content);
    assertRefused(backup + " is damaged: its checksum is wrong");
    Files.write(backup, Arrays.copyOf(content, content.length - 1));
    assertRefused(backup + " is damaged: it does not end as a snapshot does");
    Files.delete(backup);
    assertRefused(backup + " is no file");
  }

  private void assertRefused(String message) {
    assertEquals(
        message,
        assertThrows(StorageException.class, () -> SnapshotReader.read(backup)).getMessage());
    assertEquals(
        message,
        assertThrows(StorageException.class, () -> restore().restore(backup, directory(), MEMBER))
            .getMessage());
  }

  @Test
  void aMemberOfTheNewClusterStartsFarAboveTheOldOne() throws IOException {
    SnapshotMeta restored = restore().restore(backup, directory(), MEMBER);
    long index = 40 + SnapshotRestore.DEFAULT_INDEX_GAP;
    assertEquals(
        new SnapshotMeta(new LogPosition(index, 3), meta.clusterTimeMs(), NEW_MEMBERS, index),
        restored);
    for (int i = 0; i < 2; i++) {
      RecoveredState recovered = start();
      RestoredState member = recovered.restored();
      assertEquals(restored, member.snapshot());
      assertEquals(new LogPosition(index, 3), member.base());
      assertEquals(List.of(), member.entries());
      assertEquals(new HardState(3, NodeId.NONE), member.hardState());
      assertEquals(index, recovered.machine().view().appliedIndex());
    }
  }

  @Test
  void aMemberThatLostWhatItWasRestoredFromDoesNotBeginAnew() throws IOException {
    SnapshotMeta restored = restore().restore(backup, directory(), MEMBER);
    Path snapshot = directory().resolve("snapshots").resolve(SnapshotName.of(restored.last()));
    byte[] content = Files.readAllBytes(snapshot);
    content[content.length / 2] ^= 1;
    Files.write(snapshot, content);
    String damaged = assertThrows(StorageException.class, this::start).getMessage();
    assertTrue(damaged.contains("its checksum is wrong"), damaged);
    Files.delete(snapshot);
    String gone = assertThrows(StorageException.class, this::start).getMessage();
    assertTrue(gone.contains("there is no snapshot of what was before"), gone);
    try (Stream<Path> log = Files.list(directory().resolve("log"))) {
      for (Path file : log.toList()) {
        Files.delete(file);
      }
    }
    String bare = assertThrows(StorageException.class, this::start).getMessage();
    assertTrue(bare.contains("the log of member 7 is gone"), bare);
  }

  @Test
  void eachGenerationStartsFarAboveTheOneBefore() throws IOException {
    long gap = SnapshotRestore.DEFAULT_INDEX_GAP;
    assertEquals(40 + gap, restore(1).restore(backup, directory(), MEMBER).index());
    Path other = temporary.resolve("data/other");
    assertEquals(40 + 3 * gap, restore(3).restore(backup, other, MEMBER).index());
  }

  @Test
  void whatIsInTheSnapshotComesAlongUnchanged() throws IOException {
    RandomHistory history = new RandomHistory(5);
    CoordinatorMachine machine = new CoordinatorMachine();
    for (int i = 0; i < 2000; i++) {
      history.advance();
      history.applyTo(machine, new ApplyResult());
    }
    MachineState frozen = machine.freeze();
    SnapshotMeta old =
        new SnapshotMeta(
            new LogPosition(frozen.appliedIndex(), 4),
            frozen.clusterTimeMs(),
            SnapshotFixture.MEMBERS,
            0);
    Path path = Files.createDirectory(temporary.resolve("other"));
    try (SnapshotFiles files =
        SnapshotFiles.open(Disk.of(path), new MapDbSnapshotFormat(path), SnapshotConfig.DEFAULT)) {
      files.save(old, frozen);
    }
    assertTrue(frozen.lockCount() > 0 && frozen.leaseCount() > 0, "an empty state proves nothing");
    restore().restore(path.resolve(SnapshotName.of(old.last())), directory(), MEMBER);
    MachineState restored = start().machine().freeze();
    assertEquals(list(frozen.leases()), list(restored.leases()));
    assertEquals(list(frozen.locks()), list(restored.locks()));
    assertEquals(frozen.clusterTimeMs(), restored.clusterTimeMs());
  }

  private static <T> List<T> list(Iterator<T> iterator) {
    List<T> all = new ArrayList<>();
    iterator.forEachRemaining(all::add);
    return all;
  }

  @Test
  void aDirectoryThatIsInUseIsNotTouched() throws IOException {
    restore().restore(backup, directory(), MEMBER);
    start();
    String message =
        assertThrows(StorageException.class, () -> restore().restore(backup, directory(), MEMBER))
            .getMessage();
    assertEquals(
        "data directory " + directory() + " is not empty: choose another one, or empty it",
        message);
    start();
  }

  @Test
  void aDirectoryThatWasNotCompletedCannotBeUsed() {
    assertThrows(
        IOException.class,
        () ->
            DataDirectory.fill(
                directory(),
                "new",
                MEMBER,
                meta.last(),
                (disk, path) -> {
                  disk.create("half").close();
                  throw new IOException("No space left on device");
                }));
    assertThrows(StorageException.class, this::start);
    assertThrows(StorageException.class, () -> restore().restore(backup, directory(), MEMBER));
  }

  @Test
  void whatMakesNoSenseIsRefused() throws IOException {
    assertThrows(
        IllegalArgumentException.class, () -> new SnapshotRestore("new", NEW_MEMBERS, 0, 1));
    assertThrows(
        IllegalArgumentException.class, () -> new SnapshotRestore("new", Membership.NONE, 1, 1));
    assertThrows(IllegalArgumentException.class, () -> restore(0));
    assertThrows(
        IllegalArgumentException.class,
        () -> restore().restore(backup, directory(), new NodeId(8)));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new SnapshotRestore("new", NEW_MEMBERS, Long.MAX_VALUE, 1)
                .restore(backup, directory(), MEMBER));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new SnapshotRestore("new", NEW_MEMBERS, Long.MAX_VALUE / 4, 2)
                .restore(backup, directory(), MEMBER));
    assertTrue(Files.notExists(directory()));
  }
}

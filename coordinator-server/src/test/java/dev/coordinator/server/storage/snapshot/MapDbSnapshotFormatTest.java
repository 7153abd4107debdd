// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import static dev.coordinator.server.storage.snapshot.SnapshotFixture.chunks;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.meta;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.state;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.machine.MachineState;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.SnapshotMeta;
import dev.coordinator.server.storage.Disk;
import dev.coordinator.server.storage.StorageException;
import dev.coordinator.server.wire.SnapshotCodec;
import dev.coordinator.server.wire.SnapshotTables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots in MapDB files, as members write them. */
final class MapDbSnapshotFormatTest {

  @TempDir private Path directory;

  private SnapshotFiles files() throws IOException {
    return SnapshotFiles.open(
        Disk.of(directory), new MapDbSnapshotFormat(directory), SnapshotConfig.DEFAULT);
  }

  private List<Path> list() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }

  /** Keys with bytes above 127 and keys that begin with others, and values of all sizes. */
  @Test
  void rowsComeBackInTheOrderOfUnsignedBytes() throws IOException {
    RandomGenerator random = new SplittableRandom(1);
    TreeMap<byte[], byte[]> rows = new TreeMap<>(Arrays::compareUnsigned);
    for (int i = 0; i < 3000; i++) {
      byte[] key = new byte[1 + random.nextInt(random.nextBoolean() ? 2 : 60)];
      random.nextBytes(key);
      byte[] value = new byte[random.nextInt(i % 100 == 0 ? 300_000 : 200)];
      random.nextBytes(value);
      rows.put(key, value);
    }
    SnapshotTables tables =
        table ->
            table.equals("leases")
                ? List.<SnapshotTables.Row>of().iterator()
                : rows.entrySet().stream()
                    .map(row -> new SnapshotTables.Row(row.getKey(), row.getValue()))
                    .iterator();
    MapDbSnapshotFormat format = new MapDbSnapshotFormat(directory);
    format.write("a", tables);
    WholeFile.seal(Disk.of(directory), "a");
    try (SnapshotFormat.OpenTables read = format.open("a")) {
      assertEquals(text(tables), text(read));
    }
    assertEquals(List.of(directory.resolve("a")), list(), "no other files beside it");
  }

  @Test
  void unsortedRowsAreRefused() {
    Iterator<SnapshotTables.Row> rows =
        List.of(
                new SnapshotTables.Row(new byte[] {2}, new byte[0]),
                new SnapshotTables.Row(new byte[] {1}, new byte[0]))
            .iterator();
    assertThrows(
        IOException.class, () -> new MapDbSnapshotFormat(directory).write("a", table -> rows));
  }

  @Test
  void aFileThatIsThereIsNotWrittenOver() throws IOException {
    Files.writeString(directory.resolve("a"), "something");
    assertThrows(
        IOException.class,
        () ->
            new MapDbSnapshotFormat(directory)
                .write("a", table -> List.<SnapshotTables.Row>of().iterator()));
    assertEquals("something", Files.readString(directory.resolve("a")));
  }

  @Test
  void aFileOfAnotherFormatIsRefused() throws IOException {
    Files.write(directory.resolve("a"), new byte[3 << 20]);
    assertThrows(StorageException.class, () -> new MapDbSnapshotFormat(directory).open("a"));
  }

  /** The time is printed, not checked: machines differ. */
  @Test
  void aLargeStateIsSavedSentAndFound() throws IOException {
    SnapshotMeta meta = meta(1_000_000, 3);
    MachineState state = state(1_000_000, 100_000);
    Path followersDirectory = Files.createDirectory(directory.resolve("follower"));
    long start = System.nanoTime();
    try (SnapshotFiles leader = files();
        SnapshotFiles follower =
            SnapshotFiles.open(
                Disk.of(followersDirectory),
                new MapDbSnapshotFormat(followersDirectory),
                SnapshotConfig.DEFAULT)) {
      leader.save(meta, state);
      long saved = System.nanoTime();
      List<RaftMessage.InstallSnapshot> chunks = new ArrayList<>(chunks(leader, meta));
      SnapshotFiles.Reception last = null;
      for (RaftMessage.InstallSnapshot chunk : chunks) {
        last = follower.receive(chunk);
      }
      long received = System.nanoTime();
      SnapshotFiles.Found found = follower.find();
      long ended = System.nanoTime();
      var completed = assertInstanceOf(SnapshotFiles.Completed.class, last);
      RowSum written = RowSum.of(SnapshotCodec.encode(meta, state));
      assertTrue(
          written.equalTo(RowSum.of(SnapshotCodec.encode(meta, completed.machine().freeze()))));
      assertTrue(
          written.equalTo(
              RowSum.of(
                  SnapshotCodec.encode(
                      found.snapshot().meta(), found.snapshot().machine().freeze()))));
      System.out.printf(
          "snapshot of 100000 locks: %d bytes, saved in %d ms, sent in %d parts and received in"
              + " %d ms, read in %d ms%n",
          chunks.get(0).totalBytes(),
          TimeUnit.NANOSECONDS.toMillis(saved - start),
          chunks.size(),
          TimeUnit.NANOSECONDS.toMillis(received - saved),
          TimeUnit.NANOSECONDS.toMillis(ended - received));
    }
  }

  @Test
  void aSmallStateTakesASmallFile() throws IOException {
    try (SnapshotFiles files = files()) {
      files.save(meta(10, 1), state(10));
    }
    long bytes = Files.size(list().get(0));
    assertTrue(bytes < 3 << 20, bytes + " bytes");
  }

  @Test
  void aFlippedBitIsFound() throws IOException {
    try (SnapshotFiles files = files()) {
      files.save(meta(10, 1), state(10));
    }
    Path file = list().get(0);
    byte[] good = Files.readAllBytes(file);
    RandomGenerator random = new SplittableRandom(1);
    for (int i = 0; i < 50; i++) {
      byte[] bad = good.clone();
      bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
      Files.write(file, bad);
      try (SnapshotFiles files = files()) {
        assertEquals(1, files.find().damaged().size());
      }
    }
  }
}

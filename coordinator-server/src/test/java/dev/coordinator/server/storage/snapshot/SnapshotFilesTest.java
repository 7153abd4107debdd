// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import static dev.coordinator.server.storage.snapshot.SnapshotFixture.FOLLOWER;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.LEADER;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.SMALL;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.chunks;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.meta;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.open;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.request;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.save;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.state;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.machine.ListedState;
import dev.coordinator.server.machine.LockState;
import dev.coordinator.server.machine.MachineState;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.SnapshotMeta;
import dev.coordinator.server.storage.DiskFile;
import dev.coordinator.server.storage.SimulatedDisk;
import dev.coordinator.server.storage.StorageException;
import dev.coordinator.server.wire.SnapshotTables;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Snapshots as they are written, kept, sent and received. */
final class SnapshotFilesTest {

  private final SimulatedDisk disk = new SimulatedDisk();
  private final SimulatedDisk followersDisk = new SimulatedDisk();

  private static SnapshotFiles.Found find(SimulatedDisk disk) throws IOException {
    try (SnapshotFiles files = open(disk)) {
      return files.find();
    }
  }

  private static void assertNewest(SimulatedDisk disk, long index, long term) throws IOException {
    SnapshotFiles.Found found = find(disk);
    assertEquals(text(meta(index, term), state(index)), text(found.snapshot()));
    assertEquals(List.of(), found.damaged());
  }

  @Test
  void namesDoNotDependOnTheLanguage() {
    Locale before = Locale.getDefault();
    Locale.setDefault(new Locale("fa", "IR"));
    try {
      LogPosition last = new LogPosition(12, 3);
      assertEquals("0000000000000000012-0000000000000000003.snapshot", SnapshotName.of(last));
      assertEquals(last, SnapshotName.parse(SnapshotName.of(last)));
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void anEmptyDirectoryHasNone() throws IOException {
    try (SnapshotFiles files = open(disk)) {
      assertEquals(new SnapshotFiles.Found(null, List.of()), files.find());
      assertEquals(Optional.empty(), files.newest());
      assertEquals(Optional.empty(), files.read(LEADER, request(meta(5, 1), 0)));
    }
  }

  @Test
  void theNewestComesBackAndTwoAreKept() throws IOException {
    try (SnapshotFiles files = open(disk)) {
      for (int i = 1; i <= 12; i++) {
        save(files, i, 1 + i / 4);
        assertEquals(Optional.of(new LogPosition(i, 1 + i / 4)), files.newest());
        assertEquals(Math.min(i, 2), disk.list().size());
      }
    }
    assertEquals(
        List.of(
            "0000000000000000011-0000000000000000003.snapshot",
            "0000000000000000012-0000000000000000004.snapshot"),
        disk.list());
    assertNewest(disk, 12, 4);
  }

  @Test
  void whatANewerOneCoversIsNotWritten() throws IOException {
    try (SnapshotFiles files = open(disk)) {
      save(files, 7, 2);
      disk.setFault(
          (operation, file) -> {
            throw new AssertionError(operation + " " + file);
          });
      save(files, 7, 2);
      save(files, 6, 2);
    }
  }

  @Test
  void whatWasLeftHalfDoneIsRemovedAndTheRestLeftAlone() throws IOException {
    disk.replace(SnapshotFiles.SAVING, new byte[100]);
    disk.replace(SnapshotFiles.RECEIVING, new byte[100]);
    disk.replace("notes.txt", new byte[3]);
    disk.replace("9999999999999999999-0000000000000000001.snapshot", new byte[3]);
    try (SnapshotFiles files = open(disk)) {
      save(files, 7, 2);
    }
    assertEquals(
        List.of(
            "0000000000000000007-0000000000000000002.snapshot",
            "9999999999999999999-0000000000000000001.snapshot",
            "notes.txt"),
        disk.list());
  }

  @Test
  void aFlippedBitAnywhereIsFoundAndTheOlderOneTaken() throws IOException {
    try (SnapshotFiles files = open(disk)) {
      save(files, 7, 2);
      save(files, 9, 2);
    }
    String newest = disk.list().get(1);
    byte[] good = disk.content(newest);
    for (int offset = 0; offset < good.length; offset++) {
      byte[] bad = good.clone();
      bad[offset] ^= (byte) (1 << offset % 8);
      assertDamagedButOlderTaken(newest, bad);
    }
    for (int length = 0; length < good.length; length++) {
      assertDamagedButOlderTaken(newest, Arrays.copyOf(good, length));
    }
    assertDamagedButOlderTaken(newest, Arrays.copyOf(good, good.length + 1));
  }

  private void assertDamagedButOlderTaken(String newest, byte[] bad) throws IOException {
    SimulatedDisk damaged = disk.copy();
    damaged.replace(newest, bad);
    SnapshotFiles.Found found = find(damaged);
    assertEquals(text(meta(7, 2), state(7)), text(found.snapshot()));
    assertEquals(1, found.damaged().size());
    String message = found.damaged().get(0).getMessage();
    assertTrue(message.startsWith("simulated/" + newest + " is damaged: "), message);
  }

  @Test
  void aDamagedOneIsReplacedByTheNextAndCountsForNothing() throws IOException {
    try (SnapshotFiles files = open(disk)) {
      save(files, 7, 2);
      save(files, 9, 2);
    }
    disk.replace(disk.list().get(1), new byte[500]);
    try (SnapshotFiles files = open(disk)) {
      files.find();
      assertEquals(Optional.of(new LogPosition(7, 2)), files.newest());
      save(files, 9, 2);
    }
    assertEquals(2, disk.list().size());
    assertNewest(disk, 9, 2);
  }

  @Test
  void aFileUnderTheNameOfAnotherIsFound() throws IOException {
    try (SnapshotFiles files = open(disk)) {
      save(files, 7, 2);
    }
    disk.replace(SnapshotName.of(new LogPosition(8, 2)), disk.content(disk.list().get(0)));
    SnapshotFiles.Found found = find(disk);
    assertEquals(7, found.snapshot().meta().index());
    assertTrue(found.damaged().get(0).getMessage().endsWith(" is of entry 7^2, not 8^2"));
  }

  @Test
  void aWholeFileThatIsNoSnapshotIsFound() throws IOException {
    disk.create("x").close();
    WholeFile.seal(disk, "x");
    disk.rename("x", SnapshotName.of(new LogPosition(8, 2)));
    SnapshotFiles.Found found = find(disk);
    assertNull(found.snapshot());
    assertTrue(found.damaged().get(0).getMessage().contains(" makes no sense: "));
  }

  /** A state with a claim of a lease that there is not. */
  private static MachineState contradiction(long index) {
    MachineState state = state(index);
    List<LockState> locks = new ArrayList<>();
    state.locks().forEachRemaining(locks::add);
    return new ListedState(index, state.clusterTimeMs(), List.of(), locks);
  }

  @Test
  void aWholeFileThatContradictsItselfIsFound() throws IOException {
    try (SnapshotFiles files = open(disk)) {
      save(files, 7, 2);
      files.save(meta(9, 2), contradiction(9));
    }
    SnapshotFiles.Found found = find(disk);
    assertEquals(7, found.snapshot().meta().index());
    String message = found.damaged().get(0).getMessage();
    assertTrue(message.contains(" makes no sense: state is broken: lease 1 of claim "), message);
  }

  @Test
  void aSnapshotThatContradictsItselfIsRefusedBeforeItGetsAName() throws IOException {
    try (SnapshotFiles leader = open(disk);
        SnapshotFiles follower = open(followersDisk)) {
      leader.save(meta(9, 2), contradiction(9));
      SnapshotFiles.Reception last = null;
      for (RaftMessage.InstallSnapshot chunk : chunks(leader, meta(9, 2))) {
        last = follower.receive(chunk);
      }
      var refused = assertInstanceOf(SnapshotFiles.Refused.class, last);
      assertTrue(refused.why().contains(" makes no sense: "), refused.why());
      assertEquals(Optional.empty(), follower.newest());
    }
    assertEquals(List.of(), followersDisk.list());
  }

  @Test
  void aFollowerGetsASnapshotPartByPart() throws IOException {
    SnapshotMeta meta = meta(40, 3);
    try (SnapshotFiles leader = open(disk);
        SnapshotFiles follower = open(followersDisk)) {
      save(leader, 40, 3);
      List<RaftMessage.InstallSnapshot> chunks = chunks(leader, meta);
      assertTrue(chunks.size() >= 5, chunks.size() + " parts");
      RaftMessage.InstallSnapshot first = chunks.get(0);
      assertEquals(LEADER, first.from());
      assertEquals(FOLLOWER, first.to());
      assertEquals(9, first.term());
      assertEquals(meta, first.snapshot());
      assertEquals(3, first.round());
      assertEquals(5000, first.clusterTimeMs());
      long stored = 0;
      for (RaftMessage.InstallSnapshot chunk : chunks.subList(0, chunks.size() - 1)) {
        stored += chunk.data().length;
        assertEquals(new SnapshotFiles.Stored(stored), follower.receive(chunk));
        assertEquals(new SnapshotFiles.Stored(stored), follower.receive(first), "once more");
        assertEquals(Optional.empty(), follower.newest());
      }
      var completed =
          assertInstanceOf(
              SnapshotFiles.Completed.class, follower.receive(chunks.get(chunks.size() - 1)));
      assertEquals(text(meta, state(40)), text(meta, completed.machine().freeze()));
      assertEquals(Optional.of(meta.last()), follower.newest());
    }
    assertEquals(1, followersDisk.list().size());
    assertNewest(followersDisk, 40, 3);
  }

  @Test
  void aPartOutOfOrderTellsWhereToGoOn() throws IOException {
    try (SnapshotFiles leader = open(disk);
        SnapshotFiles follower = open(followersDisk)) {
      save(leader, 40, 3);
      List<RaftMessage.InstallSnapshot> chunks = chunks(leader, meta(40, 3));
      assertEquals(new SnapshotFiles.Stored(0), follower.receive(chunks.get(1)));
      assertEquals(List.of(), followersDisk.list());
      assertEquals(new SnapshotFiles.Stored(100), follower.receive(chunks.get(0)));
      assertEquals(new SnapshotFiles.Stored(100), follower.receive(chunks.get(2)));
      assertEquals(new SnapshotFiles.Stored(200), follower.receive(chunks.get(1)));
    }
    try (SnapshotFiles restarted = open(followersDisk)) {
      assertEquals(List.of(), followersDisk.list());
      assertEquals(Optional.empty(), restarted.newest());
    }
  }

  @Test
  void aPartThatBreaksARuleIsRefused() throws IOException {
    try (SnapshotFiles follower = open(followersDisk)) {
      byte[] data = new byte[100];
      assertRefused(
          follower,
          0,
          0,
          data,
          "a snapshot has 1 to 1048576 bytes (limits.maxSnapshotSize), not 0");
      assertRefused(
          follower,
          -1,
          0,
          data,
          "a snapshot has 1 to 1048576 bytes (limits.maxSnapshotSize), not -1");
      assertRefused(follower, (1 << 20) + 1, 0, data, "not 1048577");
      assertRefused(follower, 1000, -1, data, "100 bytes at offset -1 are no part of 1000");
      assertRefused(follower, 1000, 901, data, "100 bytes at offset 901 are no part of 1000");
      assertRefused(follower, 1000, Long.MAX_VALUE, data, "are no part of 1000");
      assertRefused(follower, 1000, Long.MIN_VALUE, data, "are no part of 1000");
      assertRefused(follower, 99, 0, data, "are no part of 99");
      assertRefused(follower, 1000, 0, new byte[0], "0 bytes at offset 0 are no part of 1000");
      RaftMessage.InstallSnapshot wrong =
          new RaftMessage.InstallSnapshot(
              LEADER, FOLLOWER, 9, meta(40, 3), 1000, 0, data, 12345, 0, 0);
      assertEquals(
          new SnapshotFiles.Refused("the checksum of the part is wrong"), follower.receive(wrong));
    }
    assertEquals(List.of(), followersDisk.list());
  }

  private static void assertRefused(
      SnapshotFiles follower, long total, long offset, byte[] data, String why) throws IOException {
    SnapshotFiles.Refused refused =
        assertInstanceOf(
            SnapshotFiles.Refused.class,
            follower.receive(chunk(LEADER, meta(40, 3), total, offset, data)));
    assertTrue(refused.why().contains(why), refused.why());
  }

  private static RaftMessage.InstallSnapshot chunk(
      NodeId from, SnapshotMeta snapshot, long total, long offset, byte[] data) {
    return new RaftMessage.InstallSnapshot(
        from, FOLLOWER, 9, snapshot, total, offset, data, Outgoing.checksum(data), 0, 0);
  }

  @Test
  void aWholeSnapshotWithAWrongByteIsThrownAwayAndBegunAgain() throws IOException {
    try (SnapshotFiles leader = open(disk);
        SnapshotFiles follower = open(followersDisk)) {
      save(leader, 40, 3);
      List<RaftMessage.InstallSnapshot> chunks = chunks(leader, meta(40, 3));
      for (int bad = 0; bad < chunks.size(); bad++) {
        SnapshotFiles.Reception last = null;
        for (int i = 0; i < chunks.size(); i++) {
          RaftMessage.InstallSnapshot chunk = chunks.get(i);
          byte[] data = chunk.data().clone();
          data[0] ^= (byte) (i == bad ? 1 : 0);
          last =
              follower.receive(
                  chunk(LEADER, chunk.snapshot(), chunk.totalBytes(), chunk.offset(), data));
        }
        assertInstanceOf(SnapshotFiles.Refused.class, last);
        assertEquals(List.of(), followersDisk.list());
        assertEquals(new SnapshotFiles.Stored(0), follower.receive(chunks.get(chunks.size() - 1)));
      }
      SnapshotFiles.Reception last = null;
      for (RaftMessage.InstallSnapshot chunk : chunks) {
        last = follower.receive(chunk);
      }
      assertInstanceOf(SnapshotFiles.Completed.class, last);
    }
  }

  @Test
  void aSnapshotThatIsNotWhatTheLeaderSaysIsRefused() throws IOException {
    try (SnapshotFiles leader = open(disk);
        SnapshotFiles follower = open(followersDisk)) {
      save(leader, 40, 3);
      SnapshotFiles.Reception last = null;
      for (RaftMessage.InstallSnapshot chunk : chunks(leader, meta(40, 3))) {
        last =
            follower.receive(
                chunk(LEADER, meta(41, 3), chunk.totalBytes(), chunk.offset(), chunk.data()));
      }
      assertInstanceOf(SnapshotFiles.Refused.class, last);
    }
    assertEquals(List.of(), followersDisk.list());
  }

  @Test
  void onlyOneIsReceivedAtATime() throws IOException {
    byte[] data = new byte[100];
    try (SnapshotFiles follower = open(followersDisk)) {
      follower.receive(chunk(LEADER, meta(40, 3), 1000, 0, data));
      follower.receive(chunk(LEADER, meta(40, 3), 1000, 100, data));
      for (long index = 41; index < 141; index++) {
        assertEquals(
            new SnapshotFiles.Stored(100),
            follower.receive(chunk(LEADER, meta(index, 3), 1000, 0, data)));
        assertEquals(List.of(SnapshotFiles.RECEIVING), followersDisk.list());
        assertEquals(100, followersDisk.content(SnapshotFiles.RECEIVING).length);
      }
      assertEquals(
          new SnapshotFiles.Refused("a newer snapshot of the same leader is being received"),
          follower.receive(chunk(LEADER, meta(40, 3), 1000, 0, data)));
      // Another member's file may differ, and its leader need not have as new a one.
      assertEquals(
          new SnapshotFiles.Stored(0),
          follower.receive(chunk(new NodeId(3), meta(140, 3), 1000, 100, data)));
      assertEquals(
          new SnapshotFiles.Stored(100),
          follower.receive(chunk(new NodeId(3), meta(39, 3), 1000, 0, data)));
    }
  }

  @Test
  void whatIsReceivedGoesOnceThereIsASnapshotWithAsMuchInIt() throws IOException {
    try (SnapshotFiles follower = open(followersDisk)) {
      follower.receive(chunk(LEADER, meta(40, 3), 1000, 0, new byte[100]));
      save(follower, 39, 3);
      assertTrue(followersDisk.list().contains(SnapshotFiles.RECEIVING));
      save(follower, 40, 3);
      assertFalse(followersDisk.list().contains(SnapshotFiles.RECEIVING));
      // Its leader may go on where it was, and is told to begin anew.
      assertEquals(
          new SnapshotFiles.Stored(0),
          follower.receive(chunk(LEADER, meta(40, 3), 1000, 100, new byte[100])));
    }
  }

  @Test
  void aFollowerThatClaimsMoreThanThereIsBeginsAgain() throws IOException {
    try (SnapshotFiles leader = open(disk)) {
      save(leader, 40, 3);
      long total = chunks(leader, meta(40, 3)).get(0).totalBytes();
      for (long offset : new long[] {-1, total, total + 1, Long.MAX_VALUE, Long.MIN_VALUE}) {
        assertEquals(0, leader.read(LEADER, request(meta(40, 3), offset)).orElseThrow().offset());
      }
    }
  }

  @Test
  void theOneThatIsBeingSentIsKeptForAsLongAsItIsAskedFor() throws IOException {
    SnapshotMeta sent = meta(40, 3);
    try (SnapshotFiles leader = open(disk)) {
      save(leader, 40, 3);
      for (long index = 41; index < 50; index++) {
        assertTrue(leader.read(LEADER, request(sent, index)).isPresent());
        save(leader, index, 3);
      }
      assertEquals(3, disk.list().size());
      save(leader, 50, 3);
      assertEquals(2, disk.list().size());
      assertEquals(Optional.empty(), leader.read(LEADER, request(sent, 0)));
      assertTrue(leader.read(LEADER, request(meta(50, 3), 0)).isPresent());
    }
  }

  @Test
  void followersMayBeSentDifferentOnesWithoutAnotherCheckForEachPart() throws IOException {
    SnapshotMeta older = meta(40, 3);
    SnapshotMeta newer = meta(41, 3);
    try (SnapshotFiles leader = open(disk)) {
      save(leader, 40, 3);
      save(leader, 41, 3);
      leader.read(LEADER, request(older, 0));
      leader.read(LEADER, request(newer, 0));
      disk.setFault(
          (operation, file) -> assertNotEquals(SimulatedDisk.Operation.OPEN, operation, file));
      for (long offset = 1; offset < 10; offset++) {
        assertTrue(leader.read(LEADER, request(older, offset)).isPresent());
        assertTrue(leader.read(LEADER, request(newer, offset)).isPresent());
      }
      disk.setFault(SimulatedDisk.Fault.NONE);
      save(leader, 42, 3);
      assertEquals(3, disk.list().size(), "both are kept");
      save(leader, 43, 3);
      assertEquals(2, disk.list().size());
      assertEquals(Optional.empty(), leader.read(LEADER, request(older, 0)));
    }
  }

  @Test
  void aDamagedOneIsNotSent() throws IOException {
    try (SnapshotFiles leader = open(disk)) {
      save(leader, 40, 3);
      flipBit(disk.list().get(0));
      assertThrows(StorageException.class, () -> leader.read(LEADER, request(meta(40, 3), 0)));
      assertEquals(Optional.empty(), leader.read(LEADER, request(meta(40, 3), 0)));
      save(leader, 40, 3);
      assertTrue(leader.read(LEADER, request(meta(40, 3), 0)).isPresent());
    }
    assertNewest(disk, 40, 3);
  }

  @Test
  void oneThatIsDamagedWhileItIsSentIsFoundWhenItsFollowerBeginsAgain() throws IOException {
    SnapshotMeta sent = meta(40, 3);
    try (SnapshotFiles leader = open(disk);
        SnapshotFiles follower = open(new SimulatedDisk())) {
      save(leader, 40, 3);
      long size = disk.content(disk.list().get(0)).length;
      leader.read(LEADER, request(sent, 0));
      flipBit(disk.list().get(0));
      SnapshotFiles.Reception reception = null;
      for (RaftMessage.InstallSnapshot chunk : chunks(leader, sent)) {
        reception = follower.receive(chunk);
      }
      assertInstanceOf(SnapshotFiles.Refused.class, reception);
      assertTrue(leader.read(LEADER, request(sent, size - 1)).isPresent(), "others go on");
      assertThrows(StorageException.class, () -> leader.read(LEADER, request(sent, 0)));
      assertEquals(Optional.empty(), leader.read(LEADER, request(sent, 0)));

      save(leader, 40, 3);
      for (RaftMessage.InstallSnapshot chunk : chunks(leader, sent)) {
        reception = follower.receive(chunk);
      }
      assertInstanceOf(SnapshotFiles.Completed.class, reception);
    }
  }

  /** In place, so that whoever has it open sees it too. */
  private void flipBit(String file) throws IOException {
    byte[] content = disk.content(file);
    int place = content.length / 2;
    try (DiskFile open = disk.open(file)) {
      open.write(ByteBuffer.wrap(new byte[] {(byte) (content[place] ^ 4)}), place);
    }
  }

  @Test
  void aFormatThatLosesSomethingIsNoticedBeforeTheFileHasAName() throws IOException {
    SnapshotFormat lossy =
        new SnapshotFormat() {
          private final SnapshotFormat whole = new SequentialSnapshotFormat(disk);

          @Override
          public void write(String file, SnapshotTables tables) throws IOException {
            whole.write(
                file,
                table -> {
                  var rows = tables.rows(table);
                  if (table.equals("locks")) {
                    rows.next();
                  }
                  return rows;
                });
          }

          @Override
          public OpenTables open(String file) throws IOException {
            return whole.open(file);
          }
        };
    try (SnapshotFiles files = SnapshotFiles.open(disk, lossy, SMALL)) {
      assertThrows(IOException.class, () -> save(files, 40, 3));
    }
    assertEquals(List.of(SnapshotFiles.SAVING), disk.list());
  }
}

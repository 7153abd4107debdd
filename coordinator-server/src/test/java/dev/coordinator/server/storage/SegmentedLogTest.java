// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import static dev.coordinator.server.storage.LogFixture.append;
import static dev.coordinator.server.storage.LogFixture.entries;
import static dev.coordinator.server.storage.LogFixture.entry;
import static dev.coordinator.server.storage.LogFixture.open;
import static dev.coordinator.server.storage.LogFixture.recover;
import static dev.coordinator.server.storage.LogFixture.segmentNames;
import static dev.coordinator.server.storage.LogFixture.vote;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.WriteBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the log gives back after it was closed and opened again. */
final class SegmentedLogTest {

  private final SimulatedDisk disk = new SimulatedDisk();

  @Test
  void anEmptyLogRemembersNothing() throws IOException {
    assertEquals(new RecoveredLog(HardState.INITIAL, LogPosition.START, List.of()), recover(disk));
    assertEquals(new RecoveredLog(HardState.INITIAL, LogPosition.START, List.of()), recover(disk));
    assertEquals(List.of("0000000001.wal"), segmentNames(disk));
  }

  @Test
  void everyFieldComesBack() throws IOException {
    HardState hardState = new HardState(7, new NodeId(3));
    List<Entry> written =
        List.of(
            Entry.noOp(1, 7, 0),
            Entry.command(2, 7, Long.MAX_VALUE, new byte[] {1, -1, 0}),
            Entry.command(3, Long.MAX_VALUE, 5, new byte[0]));
    try (SegmentedLog log = open(disk)) {
      append(log, new WriteBatch(1, hardState, written));
    }
    assertEquals(new RecoveredLog(hardState, LogPosition.START, written), recover(disk));
  }

  @Test
  void appendingGoesOnAfterReopening() throws IOException {
    List<Entry> expected = new ArrayList<>();
    for (int i = 1; i <= 50; i++) {
      try (SegmentedLog log = open(disk)) {
        RecoveredLog recovered = log.takeRecovered();
        assertEquals(expected, recovered.entries());
        assertEquals(i - 1, recovered.hardState().term());
        append(log, vote(2L * i, i, 1), entries(2L * i + 1, i, i, 1, 40));
      }
      expected.add(entry(i, i, 40));
    }
    assertEquals(expected, recover(disk).entries());
  }

  @Test
  void entriesAndHardStateSpanManySegments() throws IOException {
    try (SegmentedLog log = open(disk)) {
      append(log, vote(1, 4, 2));
      for (int i = 1; i <= 200; i++) {
        append(log, entries(i + 1, 4, i, 1, i));
      }
      assertEquals(segmentNames(disk).size(), log.segments());
      assertTrue(log.segments() > 10, log.segments() + " segments");
    }
    RecoveredLog recovered = recover(disk);
    assertEquals(new HardState(4, new NodeId(2)), recovered.hardState());
    assertEquals(entries(0, 4, 1, 200, 0).entries().size(), recovered.entries().size());
    for (int i = 1; i <= 200; i++) {
      assertEquals(entry(i, 4, i), recovered.entries().get(i - 1));
    }
  }

  @Test
  void aSegmentBeginsWithTheHardStateSoThatEarlierOnesCanGo() throws IOException {
    try (SegmentedLog log = open(disk)) {
      append(log, vote(1, 9, 2));
      append(log, entries(2, 9, 1, 1, 1500));
      append(log, entries(3, 9, 2, 1, 1500));
    }
    byte[] last = disk.content("0000000003.wal");
    ByteBuffer segment = ByteBuffer.wrap(last).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(2, SegmentHeader.decode(segment).nextIndex());
    int records = SegmentHeader.BYTES + FrameCodec.HEADER_BYTES;
    assertEquals(1, segment.get(records), "type of the first record");
    assertEquals(9, segment.getLong(records + 1), "term");
    assertEquals(2, segment.getLong(records + 9), "voted for");
  }

  @Test
  void aFrameLargerThanASegmentGetsASegmentOfItsOwnSize() throws IOException {
    try (SegmentedLog log = open(disk)) {
      append(log, entries(1, 1, 1, 3, 5000));
      append(log, entries(2, 1, 4, 1, 10));
    }
    assertEquals(3, segmentNames(disk).size());
    List<Entry> recovered = recover(disk).entries();
    assertEquals(
        List.of(entry(1, 1, 5000), entry(2, 1, 5000), entry(3, 1, 5000), entry(4, 1, 10)),
        recovered);
  }

  @Test
  void anEntryReplacesEverythingFromItsIndexOnOverSegments() throws IOException {
    try (SegmentedLog log = open(disk)) {
      for (int i = 1; i <= 60; i++) {
        append(log, entries(i, 1, i, 1, 100));
      }
      append(log, entries(61, 2, 5, 2, 10));
    }
    List<Entry> expected = new ArrayList<>(entries(0, 1, 1, 4, 100).entries());
    expected.addAll(entries(0, 2, 5, 2, 10).entries());
    assertEquals(expected, recover(disk).entries());
    try (SegmentedLog log = open(disk)) {
      append(log, entries(62, 3, 1, 1, 10));
    }
    assertEquals(List.of(entry(1, 3, 10)), recover(disk).entries());
  }

  @Test
  void batchesOfOneFrameTakeEffectInOrder() throws IOException {
    try (SegmentedLog log = open(disk)) {
      append(
          log,
          vote(1, 1, 1),
          entries(2, 1, 1, 5, 8),
          vote(3, 2, 0),
          entries(4, 2, 3, 1, 8),
          vote(5, 2, 3));
    }
    assertEquals(
        new RecoveredLog(
            new HardState(2, new NodeId(3)),
            LogPosition.START,
            List.of(entry(1, 1, 8), entry(2, 1, 8), entry(3, 2, 8))),
        recover(disk));
  }

  @Test
  void anEmptyBatchWritesNothing() throws IOException {
    try (SegmentedLog log = open(disk)) {
      byte[] before = disk.content("0000000001.wal");
      append(log, new WriteBatch(1, null, List.of()));
      assertArrayEquals(before, disk.content("0000000001.wal"));
      append(log, entries(2, 1, 1, 1, 1));
    }
    assertEquals(1, recover(disk).entries().size());
  }

  @Test
  void whatNoRaftMemberWouldWriteNeverReachesTheDisk() throws IOException {
    List<WriteBatch> nonsense =
        List.of(
            entries(2, 3, 3, 1, 1), // a gap
            entries(2, 3, 0, 1, 1), // before the first
            entries(2, 2, 2, 1, 1), // a lower term
            vote(2, 2, 1), // the term falls
            vote(2, 3, 2), // a second vote
            vote(2, 3, 0)); // a vote taken back
    for (WriteBatch batch : nonsense) {
      SimulatedDisk own = new SimulatedDisk();
      try (SegmentedLog log = open(own)) {
        append(log, vote(1, 3, 1), entries(1, 3, 1, 1, 1));
        assertThrows(
            IllegalArgumentException.class, () -> log.write(List.of(batch)), batch::toString);
        assertThrows(IOException.class, () -> log.write(List.of(entries(3, 3, 2, 1, 1))));
      }
      assertEquals(List.of(entry(1, 3, 1)), recover(own).entries());
    }
  }

  @Test
  void aLeftoverOfAPreparedSegmentIsRemoved() throws IOException {
    try (SegmentedLog log = open(disk)) {
      append(log, entries(1, 1, 1, 1, 1));
    }
    disk.replace(SpareSegment.NAME, new byte[100]);
    disk.replace("notes.txt", new byte[3]);
    try (SegmentedLog log = open(disk)) {
      assertEquals(1, log.takeRecovered().entries().size());
      append(log, entries(2, 1, 2, 1, 3000));
      append(log, entries(3, 1, 3, 1, 3000));
    }
    assertEquals(3, recover(disk).entries().size());
    assertEquals(3, disk.content("notes.txt").length, "a file of someone else is left alone");
  }
}

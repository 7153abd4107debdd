// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import static dev.coordinator.server.storage.LogFixture.append;
import static dev.coordinator.server.storage.LogFixture.base;
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
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.WriteBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** What the log gives back after it was closed and opened again. */
final class SegmentedLogTest {

  private final SimulatedDisk disk = new SimulatedDisk();

  @Test
  void namesDoNotDependOnTheLanguage() {
    Locale before = Locale.getDefault();
    Locale.setDefault(new Locale("fa", "IR"));
    try {
      assertEquals("0000000012.wal", SegmentHeader.fileName(12));
    } finally {
      Locale.setDefault(before);
    }
  }

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
            Entry.configuration(3, 8, 5, membership()),
            Entry.command(4, Long.MAX_VALUE, 5, new byte[0]));
    try (SegmentedLog log = open(disk)) {
      append(log, new WriteBatch(1, hardState, written));
    }
    assertEquals(new RecoveredLog(hardState, LogPosition.START, written), recover(disk));
  }

  /** Joint, with a learner, so that all of its fields have something in them. */
  private static Membership membership() {
    List<MemberInfo> members = new ArrayList<>();
    for (int i = 1; i <= 4; i++) {
      members.add(new MemberInfo(new NodeId(i), "host:" + i, "peer:" + i, 100 + i));
    }
    return new Membership(
        members,
        List.of(new NodeId(1), new NodeId(2)),
        List.of(new NodeId(2), new NodeId(3)),
        List.of(new NodeId(4)));
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
    assertEquals(new LogPosition(1, 9), SegmentHeader.decode(segment).last());
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
            base(2, 0, 1), // anew behind nothing
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

  @Test
  void aLogThatBeginsAnewForgetsWhatWasBefore() throws IOException {
    try (SegmentedLog log = open(disk)) {
      append(log, vote(1, 3, 1), entries(2, 2, 1, 20, 8));
      append(log, base(3, 30, 3), entries(4, 3, 31, 2, 8));
    }
    assertEquals(
        new RecoveredLog(
            new HardState(3, new NodeId(1)),
            new LogPosition(30, 3),
            List.of(entry(31, 3, 8), entry(32, 3, 8))),
        recover(disk));
    try (SegmentedLog log = open(disk)) {
      assertThrows(
          IllegalArgumentException.class, () -> log.write(List.of(entries(5, 3, 30, 1, 8))));
    }
    try (SegmentedLog log = open(disk)) {
      assertThrows(IllegalArgumentException.class, () -> log.write(List.of(base(5, 29, 3))));
    }
  }

  @Test
  void aLogMayBeginAnewBehindThePlaceWhereItEnds() throws IOException {
    try (SegmentedLog log = open(disk)) {
      append(log, base(1, 5, 2));
    }
    assertEquals(
        new RecoveredLog(HardState.INITIAL, new LogPosition(5, 2), List.of()), recover(disk));
    try (SegmentedLog log = open(disk)) {
      append(log, entries(2, 2, 6, 1, 8));
    }
    assertEquals(List.of(entry(6, 2, 8)), recover(disk).entries());
  }

  @Test
  void coveredSegmentsAreDroppedOldestFirst() throws IOException {
    try (SegmentedLog log = open(disk)) {
      append(log, vote(1, 4, 2));
      for (int i = 1; i <= 10; i++) {
        append(log, entries(i + 1, 4, i, 1, 1500));
      }
      // Segment 1 has no entry, segment i + 1 has entry i.
      assertEquals(11, log.segments());
      assertEquals(1, log.dropUpTo(0));
      assertEquals(3, log.dropUpTo(3));
      assertEquals(0, log.dropUpTo(3));
      assertEquals(0, log.dropUpTo(2));
      assertEquals(7, log.segments());
      assertEquals(segmentNames(disk).stream().mapToLong(this::size).sum(), log.totalBytes());
      append(log, entries(12, 4, 11, 1, 1500));
    }
    assertEquals("0000000005.wal", segmentNames(disk).get(0));
    RecoveredLog recovered = recover(disk);
    assertEquals(new HardState(4, new NodeId(2)), recovered.hardState());
    assertEquals(new LogPosition(3, 4), recovered.base());
    assertEquals(entries(0, 4, 4, 8, 1500).entries(), recovered.entries());
  }

  private long size(String segment) {
    return disk.content(segment).length;
  }

  @Test
  void theSegmentThatIsWrittenIsNeverDropped() throws IOException {
    for (int i = 1; i <= 5; i++) {
      try (SegmentedLog log = open(disk)) {
        append(log, entries(i, 1, i, 1, 1500));
        log.dropUpTo(i);
        assertEquals(1, log.segments());
      }
      assertEquals(List.of(SegmentHeader.fileName(i + 1L)), segmentNames(disk));
    }
    RecoveredLog recovered = recover(disk);
    assertEquals(new LogPosition(4, 1), recovered.base());
    assertEquals(List.of(entry(5, 1, 1500)), recovered.entries());
  }

  /** Segment 3 has what replaced the entries of segment 2, which are not needed to read it. */
  @Test
  void aLogWhoseFirstSegmentReplacesDroppedEntriesBeginsBehindThem() throws IOException {
    try (SegmentedLog log = open(disk)) {
      append(log, entries(1, 1, 1, 9, 200));
      append(log, entries(2, 2, 5, 1, 700));
      append(log, entries(3, 2, 6, 10, 20));
      assertEquals(0, log.dropUpTo(8) - 1, "only the first segment, which has no entries");
      assertEquals(1, log.dropUpTo(9));
    }
    assertEquals("0000000003.wal", segmentNames(disk).get(0));
    RecoveredLog recovered = recover(disk);
    assertEquals(new LogPosition(5, 2), recovered.base());
    assertEquals(entries(0, 2, 6, 10, 20).entries(), recovered.entries());
  }

  @Test
  void segmentsFromBeforeTheLogBeganAnewNeedNotBeCovered() throws IOException {
    try (SegmentedLog log = open(disk)) {
      append(log, entries(1, 1, 1, 50, 100));
      append(log, entries(2, 1, 51, 50, 100));
      append(log, base(3, 20, 2), entries(4, 2, 21, 1, 1500));
      assertEquals(4, log.segments());
      log.dropUpTo(20);
      assertEquals(1, log.segments());
    }
    assertEquals(
        new RecoveredLog(HardState.INITIAL, new LogPosition(20, 2), List.of(entry(21, 2, 1500))),
        recover(disk));
  }

  @Test
  void whatIsCoveredIsNeverWrittenAgain() throws IOException {
    try (SegmentedLog log = open(disk)) {
      append(log, entries(1, 1, 1, 9, 8));
      log.dropUpTo(5);
      append(log, entries(2, 2, 6, 1, 8));
      assertThrows(
          IllegalArgumentException.class, () -> log.write(List.of(entries(3, 3, 5, 1, 8))));
    }
  }
}

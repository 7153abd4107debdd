// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import static dev.coordinator.server.storage.LogFixture.append;
import static dev.coordinator.server.storage.LogFixture.base;
import static dev.coordinator.server.storage.LogFixture.entries;
import static dev.coordinator.server.storage.LogFixture.vote;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.MEMBERS;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.meta;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.save;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.state;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RestoredState;
import dev.coordinator.server.raft.WriteBatch;
import dev.coordinator.server.storage.LogFixture;
import dev.coordinator.server.storage.RecoveredLog;
import dev.coordinator.server.storage.SegmentedLog;
import dev.coordinator.server.storage.SimulatedDisk;
import dev.coordinator.server.storage.StorageException;
import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** How a snapshot and a log become the state that a member starts with. */
final class RecoveredStateTest {

  private static final long INCARNATION = 77;

  private final SimulatedDisk logDisk = new SimulatedDisk();
  private final SimulatedDisk snapshotDisk = new SimulatedDisk();

  private void log(WriteBatch... batches) throws IOException {
    try (SegmentedLog log = LogFixture.open(logDisk)) {
      append(log, batches);
    }
  }

  private void snapshot(long index, long term) throws IOException {
    try (SnapshotFiles files = SnapshotFixture.open(snapshotDisk)) {
      save(files, index, term);
    }
  }

  private RecoveredState recover() throws IOException {
    try (SegmentedLog log = LogFixture.open(logDisk);
        SnapshotFiles files = SnapshotFixture.open(snapshotDisk)) {
      return RecoveredState.recover(MEMBERS, INCARNATION, log, files);
    }
  }

  private void assertRecovered(
      long snapshotIndex, long snapshotTerm, HardState hardState, LogPosition base, Entry... rest)
      throws IOException {
    // The second time, what the first one changed on disk must say the same.
    for (int i = 0; i < 2; i++) {
      RecoveredState recovered = recover();
      assertEquals(
          new RestoredState(
              MEMBERS,
              hardState,
              meta(snapshotIndex, snapshotTerm),
              base,
              List.of(rest),
              INCARNATION),
          recovered.restored());
      assertEquals(
          text(meta(snapshotIndex, snapshotTerm), state(snapshotIndex)),
          text(recovered.restored().snapshot(), recovered.machine().freeze()));
    }
  }

  private static Entry[] run(long term, long first, int count) {
    return entries(0, term, first, count, 8).entries().toArray(Entry[]::new);
  }

  @Test
  void aMemberThatNeverRanHasNothing() throws IOException {
    RecoveredState recovered = recover();
    assertEquals(RestoredState.fresh(MEMBERS).withIncarnation(INCARNATION), recovered.restored());
    assertNull(recovered.machine());
    assertEquals(List.of(), recovered.damaged());
  }

  @Test
  void withoutASnapshotTheWholeLogCounts() throws IOException {
    log(vote(1, 2, 1), entries(2, 2, 1, 9, 8));
    assertEquals(List.of(run(2, 1, 9)), recover().restored().entries());
    assertNull(recover().restored().snapshot());
  }

  @Test
  void aLogThatHasTheLastEntryOfTheSnapshotIsKept() throws IOException {
    log(vote(1, 2, 1), entries(2, 2, 1, 9, 8));
    snapshot(6, 2);
    HardState voted = new HardState(2, new NodeId(1));
    assertRecovered(6, 2, voted, LogPosition.START, run(2, 1, 9));
    snapshot(9, 2);
    assertRecovered(9, 2, voted, LogPosition.START, run(2, 1, 9));
  }

  @Test
  void aLogThatBeginsRightBehindTheSnapshotIsKept() throws IOException {
    log(vote(1, 2, 1), base(2, 6, 2), entries(3, 2, 7, 3, 8));
    snapshot(6, 2);
    HardState voted = new HardState(2, new NodeId(1));
    assertRecovered(6, 2, voted, new LogPosition(6, 2), run(2, 7, 3));
  }

  @Test
  void aLogThatEndsBeforeTheSnapshotGivesWay() throws IOException {
    log(vote(1, 2, 1), entries(2, 2, 1, 9, 8));
    snapshot(10, 2);
    assertRecovered(10, 2, new HardState(2, new NodeId(1)), new LogPosition(10, 2));
    log(entries(3, 2, 11, 2, 8));
    assertRecovered(10, 2, new HardState(2, new NodeId(1)), new LogPosition(10, 2), run(2, 11, 2));
  }

  @Test
  void aLogWithAnotherEntryThereGivesWay() throws IOException {
    log(vote(1, 2, 1), entries(2, 2, 1, 9, 8));
    snapshot(6, 3);
    // The snapshot came in term 3, and the log had not yet heard of it.
    assertRecovered(6, 3, new HardState(3, NodeId.NONE), new LogPosition(6, 3));
  }

  @Test
  void aLogThatBeginsAtAnotherEntryGivesWay() throws IOException {
    log(vote(1, 3, 1), base(2, 6, 2), entries(3, 2, 7, 3, 8));
    snapshot(6, 3);
    assertRecovered(6, 3, new HardState(3, new NodeId(1)), new LogPosition(6, 3));
  }

  @Test
  void aVoteInALaterTermThanTheSnapshotIsKept() throws IOException {
    log(vote(1, 5, 2));
    snapshot(6, 3);
    assertRecovered(6, 3, new HardState(5, new NodeId(2)), new LogPosition(6, 3));
  }

  @Test
  void aGapBetweenSnapshotAndLogIsRefused() throws IOException {
    log(base(1, 7, 2), entries(2, 2, 8, 3, 8));
    assertRefused("the log begins behind entry 7, but there is no snapshot of what was before. ");
    snapshot(6, 2);
    assertRefused("the log begins behind entry 7, but the snapshot ends with entry 6. ");
    snapshot(7, 2);
    assertEquals(7, recover().restored().snapshot().index());
    damageNewest();
    assertRefused("the log begins behind entry 7, but the snapshot ends with entry 6; simulated/");
  }

  private void assertRefused(String what) {
    String message = assertThrows(StorageException.class, this::recover).getMessage();
    assertTrue(message.startsWith(what), message);
    assertTrue(message.endsWith("with a new member id and an empty data directory."), message);
  }

  private void damageNewest() {
    String newest = snapshotDisk.list().get(snapshotDisk.list().size() - 1);
    byte[] content = snapshotDisk.content(newest);
    content[10] ^= 1;
    snapshotDisk.replace(newest, content);
  }

  @Test
  void aDamagedSnapshotIsMadeUpForByALogThatReachesBack() throws IOException {
    log(entries(1, 2, 1, 20, 8));
    snapshot(6, 2);
    snapshot(9, 2);
    damageNewest();
    RecoveredState recovered = recover();
    assertEquals(meta(6, 2), recovered.restored().snapshot());
    assertEquals(List.of(run(2, 1, 20)), recovered.restored().entries());
    assertEquals(1, recovered.damaged().size());
  }

  @Test
  void aLogWithoutItsFirstSegmentsFitsBehindTheSnapshotThatLetThemGo() throws IOException {
    try (SegmentedLog log = LogFixture.open(logDisk)) {
      for (int i = 1; i <= 10; i++) {
        append(log, entries(i, 1, i, 1, 1500));
      }
      log.dropUpTo(6);
    }
    assertRefused("the log begins behind entry 6, but there is no snapshot of what was before. ");
    snapshot(8, 1);
    RestoredState restored = recover().restored();
    assertEquals(new LogPosition(6, 1), restored.base());
    assertEquals(entries(0, 1, 7, 4, 1500).entries(), restored.entries());
  }

  /** If that could fail halfway, the log would hold entries that the snapshot contradicts. */
  @Test
  void aLogThatGivesWayDoesSoDurably() throws IOException {
    log(vote(1, 2, 1), entries(2, 2, 1, 9, 8));
    snapshot(6, 3);
    recover();
    logDisk.powerCut(new SplittableRandom(1));
    assertEquals(
        new RecoveredLog(new HardState(3, NodeId.NONE), new LogPosition(6, 3), List.of()),
        LogFixture.recover(logDisk));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import static dev.coordinator.server.storage.snapshot.SnapshotFixture.MEMBERS;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.chunks;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.meta;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.save;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.state;
import static dev.coordinator.server.storage.snapshot.SnapshotFixture.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.RestoredState;
import dev.coordinator.server.raft.WriteBatch;
import dev.coordinator.server.storage.LogFixture;
import dev.coordinator.server.storage.SegmentedLog;
import dev.coordinator.server.storage.SegmentedLogConfig;
import dev.coordinator.server.storage.SimulatedDisk;
import dev.coordinator.server.storage.StorageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/**
 * Snapshots of a member that is killed, or loses its power, at any operation of its disks. What it
 * starts with then must be all that it acknowledged.
 */
final class SnapshotCrashTest {

  private static final int SEEDS = 150;
  private static final int ROUNDS_PER_SEED = 20;

  /** Not an IOException, so that storage cannot take it for an answer of the disk. */
  private static final class Crash extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  private interface Action {
    void on(SnapshotFiles files) throws IOException;
  }

  @Test
  void aPowerCutAtAnyOperationOfSavingLeavesTheOldOrTheNewOne() throws IOException {
    assertOldOrNewAtAnyOperation(files -> save(files, 30, 3), 8);
  }

  @Test
  void aPowerCutAtAnyOperationOfReceivingLeavesTheOldOrTheNewOne() throws IOException {
    SimulatedDisk leadersDisk = new SimulatedDisk();
    List<RaftMessage.InstallSnapshot> chunks;
    try (SnapshotFiles leader = SnapshotFixture.open(leadersDisk)) {
      save(leader, 30, 3);
      chunks = chunks(leader, meta(30, 3));
    }
    assertOldOrNewAtAnyOperation(
        files -> {
          for (RaftMessage.InstallSnapshot chunk : chunks) {
            files.receive(chunk);
          }
        },
        12);
  }

  private static void assertOldOrNewAtAnyOperation(Action action, int leastOperations)
      throws IOException {
    int operations = 0;
    int old = 0;
    int renewed = 0;
    boolean struck = true;
    while (struck) {
      for (int seed = 0; seed < 20; seed++) {
        SimulatedDisk disk = new SimulatedDisk();
        try (SnapshotFiles files = SnapshotFixture.open(disk)) {
          save(files, 10, 1);
          save(files, 20, 2);
          struck = strikes(disk, operations, () -> action.on(files));
        }
        disk.setFault(SimulatedDisk.Fault.NONE);
        disk.powerCut(new SplittableRandom(seed));
        try (SnapshotFiles files = SnapshotFixture.open(disk)) {
          SnapshotFiles.Found found = files.find();
          assertEquals(List.of(), found.damaged());
          long index = found.snapshot().meta().index();
          assertTrue(index == 30 || struck && index == 20, "index " + index);
          old += index == 20 ? 1 : 0;
          renewed += index == 30 ? 1 : 0;
          assertEquals(text(meta(index, index / 10), state(index)), text(found.snapshot()));
          // What it left half done is in nobody's way.
          save(files, 40, 4);
        }
        assertEquals(2, disk.list().size());
      }
      operations++;
    }
    assertTrue(operations > leastOperations, operations + " operations");
    assertTrue(old > 20, old + " times the old one was left");
    assertTrue(renewed > 20, renewed + " times the new one was left");
  }

  private interface Step {
    void run() throws IOException;
  }

  /** Whether the step came to the operation of this number, which the crash prevents. */
  private static boolean strikes(SimulatedDisk disk, int operation, Step step) throws IOException {
    int[] left = {operation};
    disk.setFault(
        (next, file) -> {
          if (left[0]-- <= 0) {
            throw new Crash();
          }
        });
    try {
      step.run();
      return false;
    } catch (Crash crash) {
      return true;
    }
  }

  private int completed;
  private int crashes;
  private int saved;
  private int installed;
  private int dropped;
  private int replacedAtStart;

  @Test
  void snapshotAndLogAlwaysGiveAllThatWasAcknowledged() {
    for (long seed = 1; seed <= SEEDS; seed++) {
      try {
        new Run(seed).run();
      } catch (IOException | RuntimeException | AssertionError e) {
        fail("seed " + seed + ": " + e.getMessage(), e);
      }
    }
    // The test is worth something only if all of this has happened.
    assertEquals(SEEDS * ROUNDS_PER_SEED, completed);
    assertTrue(crashes > 1000, crashes + " faults struck");
    assertTrue(saved > 1000, saved + " snapshots were saved");
    assertTrue(installed > 500, installed + " snapshots were installed");
    assertTrue(dropped > 500, dropped + " segments were dropped");
    assertTrue(replacedAtStart > 20, replacedAtStart + " logs gave way at start");
  }

  /** A member that follows a leader whose whole log is committed. */
  private final class Run {

    private final RandomGenerator random;
    private final SimulatedDisk logDisk = new SimulatedDisk();
    private final SimulatedDisk snapshotDisk = new SimulatedDisk();
    private final List<Entry> leadersLog = new ArrayList<>();
    private long leadersTerm = 2;
    private int operationsUntilFault;
    private boolean faultIsCrash;

    /** What the member acknowledged: the leader's entries up to here, and this snapshot. */
    private long matched;

    private long snapshotIndex;
    private HardState hardState = HardState.INITIAL;

    private long batch;

    Run(long seed) {
      this.random = new SplittableRandom(seed);
    }

    void run() throws IOException {
      for (int round = 0; round < ROUNDS_PER_SEED; round++) {
        scheduleFault();
        try {
          live();
        } catch (StorageException e) {
          throw e; // The member refused to start: no crash excuses that.
        } catch (Crash | IOException e) {
          crashes++;
        }
        logDisk.setFault(SimulatedDisk.Fault.NONE);
        snapshotDisk.setFault(SimulatedDisk.Fault.NONE);
        if (random.nextInt(4) == 0) {
          logDisk.kill();
          snapshotDisk.kill();
        } else {
          logDisk.powerCut(random);
          snapshotDisk.powerCut(random);
        }
        completed++;
      }
      live();
    }

    private void scheduleFault() {
      operationsUntilFault = random.nextInt(150);
      faultIsCrash = random.nextInt(3) > 0;
      SimulatedDisk.Fault fault =
          (operation, file) -> {
            if (operationsUntilFault-- > 0) {
              return;
            }
            if (faultIsCrash) {
              throw new Crash();
            }
            if (operation == SimulatedDisk.Operation.FORCE
                || operation == SimulatedDisk.Operation.WRITE) {
              operationsUntilFault = Integer.MAX_VALUE;
              throw new IOException("Input/output error");
            }
          };
      logDisk.setFault(fault);
      snapshotDisk.setFault(fault);
    }

    /** Starts, checks what it starts with, and goes on until the fault strikes or it ends. */
    private void live() throws IOException {
      try (SegmentedLog log =
              SegmentedLog.open(
                  logDisk, LogFixture.IDENTITY, new SegmentedLogConfig(2048, 1024), Runnable::run);
          SnapshotFiles files = SnapshotFixture.open(snapshotDisk)) {
        check(RecoveredState.recover(MEMBERS, 1, log, files));
        for (int i = random.nextInt(30); i > 0; i--) {
          step(log, files);
        }
      }
    }

    private void check(RecoveredState recovered) {
      assertEquals(List.of(), recovered.damaged());
      RestoredState restored = recovered.restored();
      long index = restored.snapshot() == null ? 0 : restored.snapshot().index();
      assertTrue(index >= snapshotIndex, "snapshot " + index + " after " + snapshotIndex);
      if (index > 0) {
        LogPosition last = leadersLog.get((int) index - 1).position();
        assertEquals(
            text(meta(index, last.term()), state(index)),
            text(restored.snapshot(), recovered.machine().freeze()));
      }
      long begin = restored.base().index();
      assertTrue(begin <= index, "the log begins at " + begin);
      replacedAtStart += begin > 0 && begin == index && restored.entries().isEmpty() ? 1 : 0;
      long known = Math.max(begin, index);
      for (Entry entry : restored.entries()) {
        if (entry.index() == known + 1
            && known < leadersLog.size()
            && entry.equals(leadersLog.get((int) known))) {
          known++;
        }
        if (entry.index() <= index) {
          assertEquals(leadersLog.get((int) entry.index() - 1), entry);
        }
      }
      assertTrue(known >= matched, "entries up to " + known + " of " + matched);
      assertTrue(restored.hardState().term() >= hardState.term(), "the term fell");
      if (restored.hardState().term() == hardState.term() && !hardState.votedFor().isNone()) {
        assertEquals(hardState.votedFor(), restored.hardState().votedFor());
      }
      matched = known;
      snapshotIndex = index;
      hardState = restored.hardState();
    }

    private void step(SegmentedLog log, SnapshotFiles files) throws IOException {
      int choice = random.nextInt(10);
      if (choice < 5) {
        append(log);
      } else if (choice == 5) {
        vote(log);
      } else if (choice == 6) {
        diverge(log);
      } else if (choice < 9) {
        saveAndDrop(log, files);
      } else {
        install(log, files);
      }
    }

    private Entry next(long index, long term) {
      return LogFixture.entry(index, term, random.nextInt(400));
    }

    private void extendLeadersLog(int count) {
      leadersTerm += random.nextInt(5) == 0 ? 2 : 0;
      for (int i = 0; i < count; i++) {
        leadersLog.add(next(leadersLog.size() + 1L, leadersTerm));
      }
    }

    private void append(SegmentedLog log) throws IOException {
      extendLeadersLog(random.nextInt(1, 4));
      List<Entry> entries = leadersLog.subList((int) matched, leadersLog.size());
      HardState seen = seen(leadersTerm);
      LogFixture.append(log, new WriteBatch(++batch, changed(seen), List.copyOf(entries)));
      hardState = seen;
      matched = leadersLog.size();
    }

    private HardState seen(long term) {
      return term > hardState.term() ? new HardState(term, NodeId.NONE) : hardState;
    }

    private HardState changed(HardState next) {
      return next.equals(hardState) ? null : next;
    }

    private void vote(SegmentedLog log) throws IOException {
      HardState voted = new HardState(hardState.term() + 1, new NodeId(1 + random.nextInt(3)));
      LogFixture.append(log, new WriteBatch(++batch, voted, List.of()));
      hardState = voted;
    }

    /** Takes entries of a leader that is soon forgotten. */
    private void diverge(SegmentedLog log) throws IOException {
      if (matched < leadersLog.size()) {
        return;
      }
      long term = leadersTerm + 1;
      leadersTerm += 2;
      List<Entry> entries = new ArrayList<>();
      for (int i = random.nextInt(1, 6); i > 0; i--) {
        entries.add(next(matched + 1 + entries.size(), term));
      }
      HardState seen = seen(term);
      LogFixture.append(log, new WriteBatch(++batch, changed(seen), entries));
      hardState = seen;
    }

    private void saveAndDrop(SegmentedLog log, SnapshotFiles files) throws IOException {
      if (matched == snapshotIndex) {
        return;
      }
      long index = random.nextLong(snapshotIndex + 1, matched + 1);
      save(files, index, leadersLog.get((int) index - 1).term());
      snapshotIndex = index;
      saved++;
      dropped += log.dropUpTo(random.nextLong(index + 1));
    }

    /** The leader is ahead by entries that it no longer has. */
    private void install(SegmentedLog log, SnapshotFiles files) throws IOException {
      extendLeadersLog(random.nextInt(1, 10));
      LogPosition last = leadersLog.get(leadersLog.size() - 1).position();
      SnapshotFiles.Reception reception = null;
      try (SnapshotFiles leader = SnapshotFixture.open(new SimulatedDisk())) {
        save(leader, last.index(), last.term());
        for (RaftMessage.InstallSnapshot chunk : chunks(leader, meta(last.index(), last.term()))) {
          reception = files.receive(chunk);
        }
      }
      assertInstanceOf(SnapshotFiles.Completed.class, reception);
      snapshotIndex = last.index();
      matched = last.index();
      HardState seen = seen(last.term());
      LogFixture.append(log, new WriteBatch(++batch, changed(seen), last, List.of()));
      hardState = seen;
      installed++;
      dropped += log.dropUpTo(last.index());
    }
  }
}

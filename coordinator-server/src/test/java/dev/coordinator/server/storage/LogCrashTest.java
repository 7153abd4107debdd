// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.WriteBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/**
 * A log that is killed, or loses its power, at random operations, thousands of times, also while it
 * recovers, drops segments and begins anew, and after failed syncs. What comes back must be all
 * that was acknowledged and is not covered by a snapshot, with the frame in flight as a whole or
 * not at all.
 */
final class LogCrashTest {

  private static final int SEEDS = 200;
  private static final int ROUNDS_PER_SEED = 20;

  /** Segments that take some frames, so that both a torn tail and a new segment are common. */
  private static final SegmentedLogConfig CONFIG = new SegmentedLogConfig(8192, 4096);

  /** Not an IOException, so that the log cannot take it for an answer of the disk. */
  private static final class Crash extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  private int completed;
  private int crashes;
  private int keptInFlight;
  private int lostInFlight;
  private int torn;
  private int dropped;
  private int shortened;
  private int begunAnew;

  @Test
  void nothingAcknowledgedIsEverLost() {
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
    assertTrue(keptInFlight > 100, keptInFlight + " frames in flight were kept");
    assertTrue(lostInFlight > 100, lostInFlight + " frames in flight were lost");
    assertTrue(torn > 100, torn + " torn frames were cut");
    assertTrue(dropped > 1000, dropped + " segments were dropped");
    assertTrue(shortened > 100, shortened + " times the log began behind a dropped prefix");
    assertTrue(begunAnew > 1000, begunAnew + " times the log began anew");
  }

  /**
   * What a member knows of its log.
   *
   * @param base where the log last began anew
   * @param entries all since then, also those in dropped segments
   * @param covered what a snapshot covers, so that it may be dropped
   */
  private record Model(HardState hardState, LogPosition base, List<Entry> entries, long covered) {

    static final Model EMPTY = new Model(HardState.INITIAL, LogPosition.START, List.of(), 0);

    long lastIndex() {
      return base.index() + entries.size();
    }

    Model withCovered(long index) {
      return new Model(hardState, base, entries, index);
    }

    /** What may be lost are entries that are covered. */
    boolean allows(RecoveredLog recovered) {
      long begin = recovered.base().index();
      if (begin < base.index() || begin > Math.max(covered, base.index()) || begin > lastIndex()) {
        return false;
      }
      int missing = (int) (begin - base.index());
      LogPosition place = missing == 0 ? base : entries.get(missing - 1).position();
      return recovered.hardState().equals(hardState)
          && recovered.base().equals(place)
          && recovered.entries().equals(entries.subList(missing, entries.size()));
    }
  }

  /**
   * Every operation of a short life that drops segments and begins anew, as the last one before the
   * power fails.
   */
  @Test
  void aPowerCutAtAnyOperationAroundDroppingLeavesALog() throws IOException {
    int operation = 0;
    boolean struck = true;
    while (struck) {
      for (int seed = 0; seed < 8; seed++) {
        SimulatedDisk disk = new SimulatedDisk();
        struck = dropAndBeginAnew(disk, operation);
        disk.powerCut(new SplittableRandom(seed));
        RecoveredLog recovered = LogFixture.recover(disk);
        long begin = recovered.base().index();
        assertTrue(begin <= 6 || begin == 40, "begins behind " + begin);
        if (!struck) {
          assertEquals(
              new RecoveredLog(
                  HardState.INITIAL,
                  new LogPosition(40, 2),
                  LogFixture.entries(0, 2, 41, 1, 1500).entries()),
              recovered);
        }
      }
      operation++;
    }
    assertTrue(operation > 60, operation + " operations");
  }

  /** Whether the fault struck before the end. */
  private static boolean dropAndBeginAnew(SimulatedDisk disk, int faultAt) throws IOException {
    int[] operations = {0};
    disk.setFault(
        (operation, file) -> {
          if (operations[0]++ >= faultAt) {
            throw new Crash();
          }
        });
    boolean struck = false;
    try (SegmentedLog log = LogFixture.open(disk)) {
      for (int i = 1; i <= 8; i++) {
        LogFixture.append(log, LogFixture.entries(i, 1, i, 1, 1500));
      }
      log.dropUpTo(4);
      log.dropUpTo(6);
      LogFixture.append(log, LogFixture.base(9, 40, 2));
      log.dropUpTo(40);
      LogFixture.append(log, LogFixture.entries(10, 2, 41, 1, 1500));
      log.dropUpTo(40);
      disk.setFault(SimulatedDisk.Fault.NONE);
    } catch (Crash crash) {
      struck = true;
    }
    disk.setFault(SimulatedDisk.Fault.NONE);
    return struck;
  }

  private final class Run {

    private final RandomGenerator random;
    private final SimulatedDisk disk = new SimulatedDisk();
    private int operationsUntilFault;
    private boolean faultIsCrash;

    private Model acknowledged = Model.EMPTY;
    private Model inFlight = acknowledged;
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
          throw e; // A log refused to open: no crash excuses that.
        } catch (Crash | IOException e) {
          crashes++;
        }
        disk.setFault(SimulatedDisk.Fault.NONE);
        if (random.nextInt(4) == 0) {
          disk.kill();
        } else {
          disk.powerCut(random);
        }
        completed++;
      }
      openAndCheck().close();
    }

    private void scheduleFault() {
      operationsUntilFault = random.nextInt(80);
      faultIsCrash = random.nextInt(3) > 0;
      disk.setFault(
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
          });
    }

    /** Opens the log and writes until the fault strikes, or an ordinary end comes. */
    private void live() throws IOException {
      SegmentedLog log = openAndCheck();
      int frames = random.nextInt(30);
      for (int i = 0; i < frames; i++) {
        log.write(nextGroup());
        log.sync();
        acknowledged = inFlight;
        if (random.nextInt(5) == 0) {
          dropSome(log);
        }
      }
      if (random.nextBoolean()) {
        log.close();
      } else {
        log.write(nextGroup());
      }
    }

    /** A snapshot covers what is there, and what it covers may go. */
    private void dropSome(SegmentedLog log) throws IOException {
      long covered = random.nextLong(acknowledged.covered(), acknowledged.lastIndex() + 1);
      acknowledged = acknowledged.withCovered(covered);
      inFlight = acknowledged;
      dropped += log.dropUpTo(random.nextLong(covered + 1));
    }

    private List<WriteBatch> nextGroup() {
      List<WriteBatch> group = new ArrayList<>();
      for (int i = random.nextInt(3); i >= 0; i--) {
        group.add(nextBatch());
      }
      return group;
    }

    private SegmentedLog openAndCheck() throws IOException {
      SegmentedLog log = SegmentedLog.open(disk, LogFixture.IDENTITY, CONFIG, Runnable::run);
      RecoveredLog recovered = log.takeRecovered();
      shortened += recovered.base().equals(acknowledged.base()) ? 0 : 1;
      torn += log.tornBytes() > 0 ? 1 : 0;
      if (!inFlight.equals(acknowledged)) {
        boolean kept = inFlight.allows(recovered);
        keptInFlight += kept ? 1 : 0;
        lostInFlight += kept ? 0 : 1;
        acknowledged = kept ? inFlight : acknowledged;
      }
      if (!acknowledged.allows(recovered)) {
        fail("expected " + acknowledged + ", recovered " + recovered);
      }
      inFlight = acknowledged;
      return log;
    }

    /** What a Raft member might write next, added to {@link #inFlight}. */
    private WriteBatch nextBatch() {
      HardState hardState = inFlight.hardState();
      if (random.nextInt(3) == 0) {
        hardState = new HardState(hardState.term() + 1, new NodeId(random.nextInt(4)));
      } else if (hardState.votedFor().isNone() && random.nextBoolean()) {
        hardState = new HardState(hardState.term(), new NodeId(1 + random.nextInt(3)));
      }
      boolean newTerm = hardState.term() != inFlight.hardState().term();
      LogPosition base = null;
      List<Entry> log = new ArrayList<>(inFlight.entries());
      long covered = inFlight.covered();
      if (hardState.term() > 0 && random.nextInt(15) == 0) {
        covered = random.nextLong(covered + 1, inFlight.lastIndex() + 20);
        base = new LogPosition(covered, hardState.term());
        log.clear();
        begunAnew++;
      } else if (newTerm && random.nextInt(3) == 0) {
        int first = (int) Math.max(0, covered - inFlight.base().index());
        if (first < log.size()) {
          log.subList(random.nextInt(first, log.size()), log.size()).clear();
        }
      }
      LogPosition begin = base == null ? inFlight.base() : base;
      List<Entry> entries = new ArrayList<>();
      for (int i = random.nextInt(4); i > 0; i--) {
        byte[] payload = new byte[random.nextInt(random.nextInt(20) == 0 ? 4000 : 300)];
        random.nextBytes(payload);
        long index = begin.index() + log.size() + entries.size() + 1L;
        entries.add(Entry.command(index, hardState.term(), index, payload));
      }
      // Without entries or a base nothing says that the log was cut.
      List<Entry> result =
          entries.isEmpty() && base == null ? new ArrayList<>(inFlight.entries()) : log;
      result.addAll(entries);
      HardState written = hardState.equals(inFlight.hardState()) ? null : hardState;
      inFlight = new Model(hardState, begin, result, covered);
      return new WriteBatch(++batch, written, base, entries);
    }
  }
}

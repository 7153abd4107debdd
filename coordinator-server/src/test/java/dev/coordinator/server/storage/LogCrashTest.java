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
 * recovers and after failed syncs. What comes back must be all that was acknowledged, with the
 * frame in flight as a whole or not at all.
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
  }

  private final class Run {

    private final RandomGenerator random;
    private final SimulatedDisk disk = new SimulatedDisk();
    private int operationsUntilFault;
    private boolean faultIsCrash;

    private RecoveredLog acknowledged =
        new RecoveredLog(HardState.INITIAL, LogPosition.START, List.of());
    private RecoveredLog inFlight = acknowledged;
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
      }
      if (random.nextBoolean()) {
        log.close();
      } else {
        log.write(nextGroup());
      }
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
      torn += log.tornBytes() > 0 ? 1 : 0;
      if (!inFlight.equals(acknowledged)) {
        boolean kept = recovered.equals(inFlight);
        keptInFlight += kept ? 1 : 0;
        lostInFlight += kept ? 0 : 1;
        if (!kept) {
          assertEquals(acknowledged, recovered);
        }
      } else {
        assertEquals(acknowledged, recovered);
      }
      acknowledged =
          new RecoveredLog(
              recovered.hardState(), recovered.base(), List.copyOf(recovered.entries()));
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
      List<Entry> log = new ArrayList<>(inFlight.entries());
      if (newTerm && !log.isEmpty() && random.nextInt(3) == 0) {
        log.subList(random.nextInt(log.size()), log.size()).clear();
      }
      List<Entry> entries = new ArrayList<>();
      for (int i = random.nextInt(4); i > 0; i--) {
        byte[] payload = new byte[random.nextInt(random.nextInt(20) == 0 ? 4000 : 300)];
        random.nextBytes(payload);
        long index = log.size() + entries.size() + 1L;
        entries.add(Entry.command(index, hardState.term(), index, payload));
      }
      // Without entries nothing says that the log was cut.
      List<Entry> result = entries.isEmpty() ? new ArrayList<>(inFlight.entries()) : log;
      result.addAll(entries);
      HardState written = hardState.equals(inFlight.hardState()) ? null : hardState;
      inFlight = new RecoveredLog(hardState, LogPosition.START, result);
      return new WriteBatch(++batch, written, entries);
    }
  }
}

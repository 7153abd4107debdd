// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class LinearizabilityCheckerTest {

  private static final String LOCK = "a";

  @Test
  void agreesWithBruteForceOnRandomHistories() {
    int histories = 6_000;
    int wrong = 0;
    for (int seed = 0; seed < histories; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      RandomHistory maker = new RandomHistory(random, 1 + seed % 5, 0.5);
      List<Operation> history = maker.correct(4 + seed % 6, 0.25);
      boolean planted = seed % 5 != 0;
      if (planted) {
        for (int errors = 0; errors < 3; errors++) {
          history = maker.withPlantedError(history);
        }
      }
      boolean linearizable = BruteForce.isLinearizable(history, maker.maxToken());
      Optional<String> violation = LinearizabilityChecker.violation(LOCK, history);
      String told = "seed " + seed + "\n" + history + "\n" + violation.orElse("no violation");
      assertEquals(linearizable, violation.isEmpty(), told);
      assertTrue(linearizable || planted, told);
      wrong += linearizable ? 0 : 1;
    }
    assertTrue(wrong > histories / 4 && wrong < histories * 3 / 4, wrong + " were wrong");
  }

  @Test
  void decidesLongHistoriesFast() {
    for (double lostAnswers : new double[] {0, 0.02, 0.1}) {
      RandomHistory maker = new RandomHistory(new SplittableRandom(1), 5, 1);
      List<Operation> history = maker.correct(30_000, lostAnswers);
      List<Operation> stale = new ArrayList<>(history);
      stale.add(read(1, history.size() * 10L + 1_000, history.size() * 10L + 1_010));
      Collections.shuffle(stale, new Random(1));
      assertTimeoutPreemptively(
          Duration.ofSeconds(60),
          () -> {
            assertEquals(Optional.empty(), LinearizabilityChecker.violation(LOCK, history));
            assertTrue(LinearizabilityChecker.violation(LOCK, stale).isPresent());
          });
    }
  }

  private static Operation read(long token, long fromNanos, long toNanos) {
    return new Operation(
        "reader",
        new Action.Read(),
        new Result.Seen(token == 0 ? null : new Holder(token, null)),
        fromNanos,
        toNanos);
  }

  /** Histories written by hand, on a clock that is set. */
  @Nested
  class Stories {

    private static final long SECOND = 1_000_000_000L;

    private long nowNanos;
    private final History history = new History(() -> nowNanos);

    private void at(double seconds) {
      nowNanos = (long) (seconds * SECOND);
    }

    private Optional<String> violation() {
      return LinearizabilityChecker.violation(history);
    }

    private void isLinearizable() {
      assertEquals(Optional.empty(), violation());
    }

    private void isWrongAt(String operation) {
      String told = violation().orElseThrow();
      String stuck = told.lines().skip(1).findFirst().orElseThrow();
      assertTrue(stuck.contains(operation), told);
    }

    private History.Call acquire(String lease) {
      return history.acquire("client of " + lease, LOCK, lease, lease + "/owner");
    }

    private History.Call release(String lease, long token) {
      return history.release("client of " + lease, LOCK, lease, lease + "/owner", token);
    }

    private void reads(Holder holder) {
      history.read("reader", LOCK).saw(holder);
    }

    private void livesUntil(String lease, double seconds) {
      history.leaseAlive(lease, 0, (long) (seconds * SECOND));
    }

    @Test
    void acquiresAndReleases() {
      reads(null);
      acquire("L1").granted(5);
      acquire("L1").alreadyHeld(5);
      acquire("L2").notAcquired(new Holder(5, "L1/owner"));
      reads(new Holder(5, "L1/owner"));
      release("L2", 4).notOwner(5);
      release("L1", 5).released();
      release("L1", 5).notOwner(0);
      acquire("L2").granted(9);
      isLinearizable();
    }

    @Test
    void aQueuedAcquisitionTakesEffectWhenItIsGranted() {
      livesUntil("L1", 10);
      acquire("L1").granted(5);
      History.Call waits = acquire("L2");
      at(1);
      reads(new Holder(5, null));
      History.Call release = release("L1", 5);
      at(2);
      waits.granted(7);
      at(3);
      release.released();
      reads(new Holder(7, null));
      isLinearizable();
    }

    @Test
    void twoHolders() {
      livesUntil("L1", 10);
      acquire("L1").granted(5);
      at(1);
      acquire("L2").granted(6);
      isWrongAt("L2/owner in lease L2 -> granted token 6");
    }

    @Test
    void twoHoldersWhoseAcquisitionsOverlap() {
      livesUntil("L1", 10);
      livesUntil("L2", 10);
      History.Call one = acquire("L1");
      History.Call other = acquire("L2");
      at(1);
      one.granted(5);
      other.granted(6);
      isWrongAt("granted token 6");
    }

    @Test
    void aLeaseThatMayHaveEnded() {
      livesUntil("L1", 2);
      acquire("L1").granted(5);
      History.Call waits = acquire("L2");
      at(2.1);
      waits.granted(6);
      reads(new Holder(6, "L2/owner"));
      release("L1", 5).notOwner(6);
      history.leaseEnded("L1");
      isLinearizable();
    }

    @Test
    void aLeaseThatEndedTooEarly() {
      livesUntil("L1", 2);
      acquire("L1").granted(5);
      History.Call waits = acquire("L2");
      at(1.9);
      waits.granted(6);
      isWrongAt("granted token 6");
    }

    @Test
    void aRenewalThatWasToldCounts() {
      livesUntil("L1", 2);
      acquire("L1").granted(5);
      at(1.5);
      livesUntil("L1", 3.5);
      at(2.1);
      reads(null);
      isWrongAt("read -> free");
    }

    @Test
    void aLeaseWhoseEndWasToldTooEarly() {
      livesUntil("L1", 2);
      acquire("L1").granted(5);
      at(1);
      history.leaseEnded("L1");
      isWrongAt("end of lease L1");
    }

    @Test
    void aRevokedLeaseMayEndAtOnce() {
      livesUntil("L1", 2);
      acquire("L1").granted(5);
      at(1);
      history.leaseRevoked("L1");
      acquire("L2").granted(6);
      history.leaseEnded("L1");
      isLinearizable();
    }

    @Test
    void aGrantToALeaseThatHasEnded() {
      livesUntil("L1", 2);
      History.Call holds = acquire("L1");
      holds.granted(5);
      livesUntil("L2", 1);
      at(1.5);
      history.leaseEnded("L2");
      release("L1", 5).released();
      acquire("L2").granted(6);
      isWrongAt("granted token 6");
    }

    @Test
    void aStaleRead() {
      livesUntil("L1", 10);
      acquire("L1").granted(5);
      release("L1", 5).released();
      reads(new Holder(5, null));
      isWrongAt("read -> held with token 5");
    }

    @Test
    void readsMayNotGoBack() {
      livesUntil("L1", 10);
      History.Call acquire = acquire("L1");
      reads(new Holder(5, null));
      reads(null);
      at(1);
      acquire.granted(5);
      isWrongAt("read -> free");
    }

    @Test
    void aReadMaySeeEitherSideOfWhatItOverlaps() {
      livesUntil("L1", 10);
      History.Call acquire = acquire("L1");
      History.Call before = history.read("reader", LOCK);
      History.Call after = history.read("reader", LOCK);
      acquire.granted(5);
      after.saw(new Holder(5, null));
      before.saw(null);
      isLinearizable();
    }

    @Test
    void aTokenThatFell() {
      livesUntil("L1", 10);
      acquire("L1").granted(7);
      release("L1", 7).released();
      acquire("L2").granted(6);
      isWrongAt("granted token 6");
    }

    @Test
    void aTokenGivenTwice() {
      acquire("L1").granted(7);
      release("L1", 7).released();
      acquire("L2").granted(7);
      isWrongAt("lease L2 -> granted token 7");
    }

    @Test
    void aLostRelease() {
      livesUntil("L1", 10);
      acquire("L1").granted(5);
      release("L1", 5).released();
      at(1);
      acquire("L2").notAcquired(new Holder(5, "L1/owner"));
      isWrongAt("not acquired, held with token 5");
    }

    @Test
    void aLostAcquisition() {
      livesUntil("L1", 10);
      acquire("L1").granted(5);
      at(1);
      release("L1", 5).notOwner(0);
      isWrongAt("not owner, free");
    }

    @Test
    void anUnknownOutcomeThatTookEffectLate() {
      livesUntil("L1", 2);
      acquire("L1"); // never answered
      at(1);
      reads(null);
      at(1.5);
      reads(new Holder(5, null));
      at(2.5);
      acquire("L2").granted(6);
      isLinearizable();
    }

    @Test
    void anUnknownOutcomeTakesEffectOnceAtMost() {
      livesUntil("L1", 2);
      acquire("L1"); // never answered
      reads(new Holder(5, null));
      at(2.5);
      reads(null);
      reads(new Holder(6, null));
      isWrongAt("held with token 6");
    }

    @Test
    void anUnknownGrantKeepsOthersOutUntilItsLeaseMayEnd() {
      livesUntil("L1", 2);
      acquire("L1"); // never answered
      at(0.5);
      reads(new Holder(5, "L1/owner"));
      at(1);
      acquire("L2").granted(6);
      isWrongAt("granted token 6");
    }

    @Test
    void anUnknownGrantOfALeaseKnownToHaveEndedIsOver() {
      livesUntil("L1", 1);
      acquire("L1"); // never answered
      at(1.5);
      history.leaseEnded("L1");
      reads(new Holder(5, null));
      isWrongAt("held with token 5");
    }

    @Test
    void anUnknownReleaseMayTakeEffectLateOrNever() {
      livesUntil("L1", 10);
      acquire("L1").granted(5);
      release("L1", 5); // never answered
      at(1);
      reads(new Holder(5, null));
      at(2);
      acquire("L2").granted(6);
      isLinearizable();
    }

    @Test
    void anUnknownReleaseIsNotTakenBack() {
      livesUntil("L1", 10);
      acquire("L1").granted(5);
      release("L1", 5); // never answered
      reads(null);
      reads(new Holder(5, null));
      isWrongAt("held with token 5");
    }

    @Test
    void aFailedOperationDidNothing() {
      livesUntil("L1", 10);
      acquire("L1").failed();
      reads(new Holder(5, null));
      isWrongAt("held with token 5");
    }

    @Test
    void theExplanationShowsWhatWasPossibleAndWhatHappenedAround() {
      livesUntil("L1", 10);
      acquire("L1").granted(5);
      at(1);
      acquire("L2").granted(6);
      assertEquals(
          """
          lock a: no order explains
            > [  1000.000 ..   1000.000] client of L2: acquire for L2/owner in lease L2 -> granted token 6
          just before it the lock was
            held by L1/owner in lease L1 with token 5
          the operations around it, in ms from the first one
              [         - ..          -] lease: end of lease L2 -> unknown
              [     0.000 ..      0.000] client of L1: acquire for L1/owner in lease L1 -> granted token 5
            > [  1000.000 ..   1000.000] client of L2: acquire for L2/owner in lease L2 -> granted token 6
          """,
          violation().orElseThrow());
    }

    @Test
    void anOperationEndsOnce() {
      History.Call call = acquire("L1");
      call.granted(5);
      assertThrows(IllegalStateException.class, () -> call.granted(6));
    }

    @Test
    void locksAreCheckedOneByOne() {
      history.read("reader", "x").saw(null);
      assertFalse(violation().isPresent());
      history.read("reader", "y").saw(new Holder(1, null));
      assertTrue(violation().orElseThrow().startsWith("lock y"));
    }
  }
}

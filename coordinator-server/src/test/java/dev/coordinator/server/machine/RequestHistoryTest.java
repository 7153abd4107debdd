// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RequestHistoryTest {

  private static final Outcome OUTCOME = Outcome.Done.INSTANCE;
  private static final Claim.Key KEY = new Claim.Key("a", "x");
  private static final Claim.Key OTHER_OWNER = new Claim.Key("a", "y");
  private static final Claim.Key OTHER_LOCK = new Claim.Key("b", "x");

  private final RequestHistory history = new RequestHistory(new Generation());
  private final List<Claim.Key> abandoned = new ArrayList<>();

  private void acknowledge(long number, long below) {
    history.acknowledge(new RequestId(number, below), abandoned::add);
  }

  private static long fingerprint(String name, String owner, long waitMs, String metadata) {
    return Fingerprint.of(
        new Command.AcquireLock(name, 1, null, owner, waitMs, metadata, new RequestId(1, 0)));
  }

  @Test
  void findsAnAnswerUntilItIsAcknowledged() {
    history.remember(3, 30, KEY, OUTCOME);

    acknowledge(9, 3);
    assertSame(OUTCOME, history.find(3).outcome());
    assertNull(history.refusal(1, 3, 30, KEY));

    acknowledge(9, 4);
    assertNull(history.find(3));
    assertEquals(new Outcome.RequestForgotten(3, 4), history.refusal(1, 3, 30, KEY));
  }

  @Test
  void acknowledgementsOnlyRise() {
    acknowledge(9, 5);
    acknowledge(9, 2);

    assertEquals(new Outcome.RequestForgotten(4, 5), history.refusal(1, 4, 40, KEY));
    assertNull(history.refusal(1, 5, 50, KEY));
  }

  @Test
  void acknowledgesNothingFromTheRequestItselfOn() {
    history.remember(3, 30, KEY, OUTCOME);

    acknowledge(3, 100);

    assertNull(history.refusal(1, 3, 30, KEY));
    assertEquals(3, history.acknowledgedBelow());
  }

  @Test
  void tellsAnotherRequestOfTheSameNumber() {
    history.remember(3, 30, KEY, null);

    assertEquals(new Outcome.RequestMismatch(3), history.refusal(1, 3, 31, KEY));
  }

  @Test
  void handsOutTheWaitsThatAnAcknowledgementAbandons() {
    history.remember(1, 10, KEY, null);
    history.remember(2, 20, OTHER_OWNER, null);
    history.answered(2, OUTCOME);

    acknowledge(3, 3);

    assertEquals(List.of(KEY), abandoned);
    assertEquals(0, history.requests().size());
  }

  @Test
  void refusesWhatWasOvertakenByTheSameOwnerAtTheSameLock() {
    history.remember(5, 50, KEY, OUTCOME);
    history.remember(7, 70, KEY, null);

    assertEquals(new Outcome.RequestOvertaken(4, 5), history.refusal(1, 4, 40, KEY));
    assertEquals(new Outcome.RequestOvertaken(6, 7), history.refusal(1, 6, 60, KEY));
    assertNull(history.refusal(1, 8, 80, KEY));
  }

  @Test
  void otherOwnersAndLocksMayOvertake() {
    history.remember(5, 50, OTHER_OWNER, OUTCOME);
    history.remember(6, 60, OTHER_LOCK, OUTCOME);

    assertNull(history.refusal(1, 4, 40, KEY));
  }

  @Test
  void aRetryIsNotOvertaken() {
    history.remember(4, 40, KEY, OUTCOME);
    history.remember(5, 50, KEY, OUTCOME);

    assertNull(history.refusal(1, 4, 40, KEY));
  }

  @Test
  void fingerprintsTellRequestsApart() {
    long fingerprint = fingerprint("a", "b", 5, "c");

    assertEquals(fingerprint, fingerprint("a", "b", 7, "c"), "a retry has less time to wait");
    assertNotEquals(fingerprint, fingerprint("ab", "", 5, "c"));
    assertNotEquals(fingerprint, fingerprint("a", "", 5, "bc"));
    assertNotEquals(fingerprint, fingerprint("b", "a", 5, "c"));
    assertNotEquals(fingerprint, fingerprint("a", "b", 5, "\u0163"));
    assertNotEquals(
        Fingerprint.of(new Command.ReleaseLock("a", 1, "b", 1, RequestId.NONE)),
        Fingerprint.of(new Command.ReleaseLock("a", 1, "b", 1L << 32, RequestId.NONE)));
  }

  /** Members of several versions compare fingerprints that one of them stored. */
  @Test
  void fingerprintsNeverChange() {
    assertEquals(0xcfd41d21c9bb6445L, fingerprint("a", "b", 5, "c"));
    assertEquals(
        0x2a2086fc9d754adbL,
        Fingerprint.of(new Command.ReleaseLock("a", 1, "b", 7, RequestId.NONE)));
  }
}

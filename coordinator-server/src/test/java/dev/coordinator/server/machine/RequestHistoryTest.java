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
    history.answered(3, 30, OUTCOME);

    acknowledge(9, 3);
    assertSame(OUTCOME, history.find(3).outcome());
    assertNull(history.refusal(1, 3, 30));

    acknowledge(9, 4);
    assertNull(history.find(3));
    assertEquals(new Outcome.RequestForgotten(3, 4), history.refusal(1, 3, 30));
  }

  @Test
  void acknowledgementsOnlyRise() {
    acknowledge(9, 5);
    acknowledge(9, 2);

    assertEquals(new Outcome.RequestForgotten(4, 5), history.refusal(1, 4, 40));
    assertNull(history.refusal(1, 5, 50));
  }

  @Test
  void acknowledgesNothingFromTheRequestItselfOn() {
    history.answered(3, 30, OUTCOME);

    acknowledge(3, 100);

    assertNull(history.refusal(1, 3, 30));
    assertEquals(3, history.acknowledgedBelow());
  }

  @Test
  void tellsAnotherRequestOfTheSameNumber() {
    history.waits(3, 30, new Claim.Key("a", ""));

    assertEquals(new Outcome.RequestMismatch(3), history.refusal(1, 3, 31));
  }

  @Test
  void handsOutTheWaitsThatAnAcknowledgementAbandons() {
    Claim.Key waiting = new Claim.Key("a", "waiting");
    Claim.Key granted = new Claim.Key("a", "granted");
    history.waits(1, 10, waiting);
    history.waits(2, 20, granted);
    history.answered(2, OUTCOME);

    acknowledge(3, 3);

    assertEquals(List.of(waiting), abandoned);
    assertEquals(0, history.requests().size());
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

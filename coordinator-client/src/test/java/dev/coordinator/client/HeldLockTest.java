// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.client.CoordinatorException.Reason;
import dev.coordinator.v1.ErrorReason;
import dev.coordinator.v1.LockEvent;
import dev.coordinator.v1.ReleaseLockRequest;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HeldLockTest {

  private static final Duration TTL = Duration.ofSeconds(60);

  private final FakeCluster cluster = new FakeCluster(1);
  private final ManualTime time = new ManualTime();
  private final AtomicInteger losses = new AtomicInteger();
  private CoordinatorClient client;
  private Session session;
  private HeldLock held;

  @BeforeEach
  void acquire() throws Exception {
    // Callbacks on the thread that causes them, so that a missing or a second one shows at once.
    client = cluster.client().timeSource(time).driftMargin(0).executor(Runnable::run).build();
    session = client.newSession(TTL);
    held = session.lock("a").acquire();
    held.onLost(reason -> losses.incrementAndGet());
  }

  @AfterEach
  void stop() {
    client.close();
    cluster.close();
  }

  @Test
  void aLossIsToldOnceHoweverOftenItIsDiscovered() {
    time.advance(TTL);
    assertFalse(held.isHeld());
    session.close();
    held.close();
    assertThrows(LockLostException.class, held::checkHeld);
    assertEquals(1, losses.get());
  }

  @Test
  void aLateListenerIsToldToo() throws Exception {
    time.advance(TTL);
    assertFalse(held.isHeld());
    held.lost().get(10, TimeUnit.SECONDS);
    AtomicInteger late = new AtomicInteger();
    held.onLost(reason -> late.incrementAndGet());
    assertEquals(1, late.get());
  }

  @Test
  void aReleaseIsNoLoss() {
    held.close();
    time.advance(TTL);
    session.close();
    assertEquals(0, losses.get());
    assertFalse(held.lost().isDone());
    assertFalse(held.isHeld());
    assertEquals(Duration.ZERO, held.remaining());
    assertThrows(LockLostException.class, held::checkHeld);
  }

  @Test
  void aReleaseAfterTheDeadlineIsALossAndAsksNobody() throws Exception {
    time.advance(TTL);
    ExecutionException failure =
        assertThrows(ExecutionException.class, () -> held.release().get(10, TimeUnit.SECONDS));
    assertEquals(LockLostException.class, failure.getCause().getClass());
    Eventually.until("told", () -> losses.get() == 1);
    assertTrue(cluster.requests(ReleaseLockRequest.class).isEmpty());
  }

  @Test
  void aReleaseWithoutAnAnswerIsRepeatedUntilTheSessionEnds() throws Exception {
    cluster.loseAnswersTo(ReleaseLockRequest.class);
    CompletableFuture<Void> released = held.release();
    // Longer than the TTL and every timeout, while the session lives.
    for (int i = 0; i < 3; i++) {
      time.advance(TTL.multipliedBy(2).dividedBy(3));
      // Renews what is due, before it looks for itself.
      client.newSession(TTL);
      Eventually.until("renewed", () -> session.remaining().equals(TTL));
    }
    int before = cluster.requests(ReleaseLockRequest.class).size();
    Eventually.until(
        "still repeated", () -> cluster.requests(ReleaseLockRequest.class).size() > before + 1);
    assertFalse(released.isDone());
    cluster.loseAnswersTo(null);
    released.get(10, TimeUnit.SECONDS);
    assertEquals(
        1,
        cluster.requests(ReleaseLockRequest.class).stream()
            .map(request -> request.getRequestId().getNumber())
            .distinct()
            .count());
  }

  @Test
  void aReleaseThatFindsNoRoomIsNoLoss() throws Exception {
    cluster.refuseNext(
        ReleaseLockRequest.class::isInstance, FakeError.of(ErrorReason.ERROR_REASON_LIMIT_REACHED));
    held.release().get(10, TimeUnit.SECONDS);
    assertTrue(cluster.state().isFree("a"));
    assertEquals(0, losses.get());
    assertEquals(
        2,
        cluster.requests(ReleaseLockRequest.class).stream()
            .map(request -> request.getRequestId().getNumber())
            .distinct()
            .count());
  }

  @Test
  void aReleaseIsGivenUpAfterTheSession() throws Exception {
    client.close();
    client = cluster.client().callTimeout(Duration.ofMillis(50)).build();
    session = client.newSession(TTL);
    held = session.lock("b").acquire();
    cluster.elect(0);
    CompletableFuture<Void> released = held.release();
    session.closeAsync();
    ExecutionException failure =
        assertThrows(ExecutionException.class, () -> released.get(10, TimeUnit.SECONDS));
    assertEquals(LeaseExpiredException.class, failure.getCause().getClass());
  }

  @Test
  void closingTwiceReleasesOnce() {
    held.close();
    held.close();
    assertEquals(1, cluster.requests(ReleaseLockRequest.class).size());
  }

  @Test
  void aReleaseTellsThatTheLockHadBeenTakenAway() {
    cluster.state().takeAway("a");
    ExecutionException failure =
        assertThrows(ExecutionException.class, () -> held.release().get(10, TimeUnit.SECONDS));
    LockLostException lost = (LockLostException) failure.getCause();
    assertEquals(Reason.NOT_LOCK_OWNER, lost.reason());
    assertEquals(held.token(), lost.token());
  }

  @Test
  void askingTheClusterFindsALossThatTheLeaseDoesNotShow() {
    assertTrue(held.verify());
    cluster.state().takeAway("a");
    assertTrue(held.isHeld());
    assertFalse(held.verify());
    assertFalse(held.isHeld());
    assertEquals(1, losses.get());
    assertEquals(Reason.NOT_LOCK_OWNER, held.lost().join().reason());
  }

  @Test
  void ensureLooksAhead() {
    held.ensure(TTL);
    time.advance(Duration.ofSeconds(10));
    held.ensure(Duration.ofSeconds(50));
    assertThrows(LockLostException.class, () -> held.ensure(Duration.ofSeconds(51)));
    assertTrue(held.isHeld());
  }

  @Test
  void aReleaseFindsThatTheLeaseHasEnded() {
    cluster.state().end(session.leaseId(), LockEvent.Kind.KIND_EXPIRED);
    ExecutionException failure =
        assertThrows(ExecutionException.class, () -> held.release().get(10, TimeUnit.SECONDS));
    assertEquals(LockLostException.class, failure.getCause().getClass());
    assertEquals(SessionState.EXPIRED, session.state());
  }
}

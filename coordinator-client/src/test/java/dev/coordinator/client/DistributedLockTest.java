// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Message;
import dev.coordinator.client.CoordinatorException.Reason;
import dev.coordinator.client.internal.RequestNumbers;
import dev.coordinator.v1.AcquireLockRequest;
import dev.coordinator.v1.ErrorReason;
import dev.coordinator.v1.LockEvent;
import dev.coordinator.v1.RequestId;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DistributedLockTest {

  private static final Duration TTL = Duration.ofSeconds(60);

  private final FakeCluster cluster = new FakeCluster(3);
  private CoordinatorClient client;
  private Session session;

  @BeforeEach
  void connect() {
    client = cluster.client().build();
    session = client.newSession(TTL);
  }

  @AfterEach
  void stop() {
    client.close();
    cluster.close();
  }

  private CompletableFuture<HeldLock> queueUp() throws Exception {
    int before = cluster.state().waiters("a");
    CompletableFuture<HeldLock> waiting = session.lock("a").acquireAsync();
    Eventually.until("queued", () -> cluster.state().waiters("a") == before + 1);
    return waiting;
  }

  @Test
  void tokensGrow() throws Exception {
    long first;
    try (HeldLock held = session.lock("a").acquire()) {
      first = held.token();
      assertTrue(held.isHeld());
      assertEquals("a", held.name());
    }
    try (HeldLock held = session.lock("b").acquire()) {
      assertTrue(held.token() > first);
    }
  }

  @Test
  void twoAcquisitionsOfOneSessionExcludeEachOther() throws Exception {
    DistributedLock lock = session.lock("a");
    try (HeldLock held = lock.acquire()) {
      assertTrue(held.isHeld());
      assertEquals(Optional.empty(), lock.tryAcquire());
    }
    List<AcquireLockRequest> sent = cluster.requests(AcquireLockRequest.class);
    assertNotEquals(sent.get(0).getOwner(), sent.get(1).getOwner());
  }

  @Test
  void waitersAreServedInOrder() throws Exception {
    HeldLock first = session.lock("a").acquire();
    CompletableFuture<HeldLock> second = queueUp();
    CompletableFuture<HeldLock> third = queueUp();
    first.close();
    HeldLock next = second.get(10, TimeUnit.SECONDS);
    assertFalse(third.isDone());
    next.close();
    assertTrue(third.get(10, TimeUnit.SECONDS).token() > next.token());
  }

  @Test
  void aWaitThatTimesOutIsEmptyNotAnError() throws Exception {
    HeldLock held = session.lock("a").acquire();
    CompletableFuture<Optional<HeldLock>> waiting =
        session.lock("a").acquireAsync(Duration.ofSeconds(30));
    Eventually.until("queued", () -> cluster.state().waiters("a") == 1);
    cluster.state().timeOut("a");
    assertEquals(Optional.empty(), waiting.get(10, TimeUnit.SECONDS));
    held.close();
  }

  @Test
  void aWaitWithoutLimitGoesOnWhenSomebodySetsItADeadline() throws Exception {
    HeldLock held = session.lock("a").acquire();
    CompletableFuture<HeldLock> waiting = queueUp();
    cluster.state().timeOut("a");
    Eventually.until("queued again", () -> cluster.state().waiters("a") == 1);
    held.close();
    assertTrue(waiting.get(10, TimeUnit.SECONDS).isHeld());
  }

  @Test
  void cancellingLeavesTheQueue() throws Exception {
    HeldLock held = session.lock("a").acquire();
    CompletableFuture<HeldLock> waiting = queueUp();
    assertTrue(waiting.cancel(true));
    Eventually.until("left the queue", () -> cluster.state().waiters("a") == 0);
    assertThrows(CancellationException.class, waiting::join);
    // Many calls that are broken off look like an attack.
    Eventually.until("answered", () -> cluster.cancelledWaits() == 1);
    assertEquals(0, cluster.brokenOff());
    held.close();
    Eventually.until("nobody holds it", () -> cluster.state().isFree("a"));
  }

  @Test
  void aTimeoutOfTheFutureLeavesTheQueueToo() throws Exception {
    HeldLock held = session.lock("a").acquire();
    CompletableFuture<HeldLock> first = queueUp();
    CompletableFuture<Optional<HeldLock>> second =
        session.lock("a").acquireAsync(Duration.ofSeconds(30));
    Eventually.until("queued", () -> cluster.state().waiters("a") == 2);
    first.completeExceptionally(new TimeoutException());
    Eventually.until("the first left", () -> cluster.state().waiters("a") == 1);
    second.completeExceptionally(new TimeoutException());
    Eventually.until("the second left", () -> cluster.state().waiters("a") == 0);
    held.close();
    Eventually.until("nobody holds it", () -> cluster.state().isFree("a"));
  }

  @Test
  void cancellingARepeatedWaitLeavesTheQueue() throws Exception {
    HeldLock held = session.lock("a").acquire();
    CompletableFuture<HeldLock> waiting = queueUp();
    cluster.member(1).kill();
    cluster.elect(2);
    Eventually.until("repeated", () -> cluster.membersAsked(AcquireLockRequest.class).size() > 2);
    assertEquals(1, cluster.state().waiters("a"));
    assertTrue(waiting.cancel(true));
    Eventually.until("left the queue", () -> cluster.state().waiters("a") == 0);
    held.close();
  }

  @Test
  void cancellingWhileNobodyLeadsLeavesTheQueueLater() throws Exception {
    HeldLock held = session.lock("a").acquire();
    CompletableFuture<HeldLock> waiting = queueUp();
    cluster.elect(0);
    cluster.member(1).kill();
    assertTrue(waiting.cancel(true));
    cluster.elect(2);
    Eventually.until("left the queue", () -> cluster.state().waiters("a") == 0);
    held.close();
  }

  @Test
  void anInterruptLeavesTheQueue() throws Exception {
    HeldLock held = session.lock("a").acquire();
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread waiter =
        new Thread(
            () -> {
              try {
                session.lock("a").acquire();
              } catch (InterruptedException | RuntimeException e) {
                thrown.set(e);
              }
            });
    waiter.start();
    Eventually.until("queued", () -> cluster.state().waiters("a") == 1);
    waiter.interrupt();
    waiter.join(10_000);
    assertEquals(InterruptedException.class, thrown.get().getClass());
    Eventually.until("left the queue", () -> cluster.state().waiters("a") == 0);
    held.close();
  }

  @Test
  void aGrantThatCrossesTheCancellationIsGivenBack() throws Exception {
    HeldLock held = session.lock("a").acquire();
    CompletableFuture<HeldLock> waiting = queueUp();
    // The member is too far gone to notice the cancellation, and grants later.
    cluster.member(1).freeze();
    waiting.cancel(true);
    cluster.elect(2);
    held.release().get(10, TimeUnit.SECONDS);
    // Whether the grant or the clearing up comes first, in the end nobody holds it or waits.
    Eventually.until(
        "given back", () -> cluster.state().isFree("a") && cluster.state().waiters("a") == 0);
  }

  @Test
  void anAcquisitionWithoutAnAnswerLeavesNoHoldBehind() throws Exception {
    try (CoordinatorClient hasty = cluster.client().callTimeout(Duration.ofMillis(300)).build()) {
      Session other = hasty.newSession(TTL);
      for (int i = 0; i < 200; i++) {
        cluster.loseNextAnswer();
      }
      UnavailableException failure =
          assertThrows(UnavailableException.class, () -> other.lock("a").tryAcquire());
      assertFalse(failure.outcomeKnown());
      while (cluster.nextLostAnswer() != null) {
        // From here on answers arrive.
        Thread.onSpinWait();
      }
      Eventually.until("granted, then given back", () -> cluster.state().isFree("a"));
      assertTrue(cluster.state().events().size() >= 2);
    }
  }

  @Test
  void aWaitThatSomebodyElseCancelledStartsAnew() throws Exception {
    cluster.refuseNext(FakeError.of(ErrorReason.ERROR_REASON_WAIT_CANCELLED));
    try (HeldLock held = session.lock("a").acquire()) {
      assertTrue(held.isHeld());
      List<AcquireLockRequest> sent = cluster.requests(AcquireLockRequest.class);
      assertEquals(sent.get(0).getOwner(), sent.get(1).getOwner());
      assertTrue(sent.get(1).getRequestId().getNumber() > sent.get(0).getRequestId().getNumber());
    }
  }

  @Test
  void aLongWaitDoesNotHinderManyOtherRequests() throws Exception {
    HeldLock held = session.lock("a").acquire();
    CompletableFuture<HeldLock> waiting = queueUp();
    // More than the cluster remembers for a lease.
    for (int i = 0; i < 1_500; i++) {
      session.lock("b").acquire().close();
    }
    assertEquals(1, cluster.state().waiters("a"));
    assertFalse(waiting.isDone());
    held.close();
    assertTrue(waiting.get(10, TimeUnit.SECONDS).isHeld());
  }

  private List<CompletableFuture<HeldLock>> queueUp(int count) throws Exception {
    List<CompletableFuture<HeldLock>> waiting = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      waiting.add(session.lock("a").acquireAsync());
    }
    Eventually.until("queued", () -> cluster.state().waiters("a") == count);
    return waiting;
  }

  @Test
  void manyWaitsDoNotHinderManyOtherRequests() throws Exception {
    HeldLock held = session.lock("a").acquire();
    List<CompletableFuture<HeldLock>> waiting = queueUp(RequestNumbers.MAX_WAITS);
    for (int i = 0; i < 1_500; i++) {
      session.lock("b").tryAcquire().orElseThrow().close();
    }
    assertEquals(RequestNumbers.MAX_WAITS, cluster.state().waiters("a"));
    // They came to the queue together, in whatever order.
    List<CompletableFuture<Void>> served =
        waiting.stream().map(next -> next.thenCompose(HeldLock::release)).toList();
    held.close();
    for (CompletableFuture<Void> one : served) {
      one.get(20, TimeUnit.SECONDS);
    }
    assertEquals(0, cluster.state().refusedForNumbers());
  }

  @Test
  void manyHoldsAreTakenAndGivenBackAtOnce() throws Exception {
    List<CompletableFuture<Optional<HeldLock>>> tries = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      tries.add(session.lock("many/" + i).tryAcquireAsync());
    }
    List<HeldLock> holds = new ArrayList<>();
    for (CompletableFuture<Optional<HeldLock>> attempt : tries) {
      holds.add(attempt.get(20, TimeUnit.SECONDS).orElseThrow());
    }
    List<CompletableFuture<Void>> released = holds.stream().map(HeldLock::release).toList();
    for (CompletableFuture<Void> release : released) {
      release.get(20, TimeUnit.SECONDS);
    }
    assertEquals(List.of(), cluster.state().heldLocks(""));
    assertEquals(0, cluster.state().refusedForNumbers());
  }

  @Test
  void aSessionDoesNotWaitForMoreLocksThanItMay() throws Exception {
    HeldLock held = session.lock("a").acquire();
    List<CompletableFuture<HeldLock>> waiting = queueUp(RequestNumbers.MAX_WAITS);
    CoordinatorException refused =
        assertThrows(
            CoordinatorException.class, () -> session.lock("a").acquire(Duration.ofSeconds(1)));
    assertEquals(Reason.LIMIT_REACHED, refused.reason());
    assertEquals(
        "a session waits for at most 256 locks at once; wait for more with another session",
        refused.getMessage());
    assertEquals(Optional.empty(), session.lock("a").tryAcquire());
    session.lock("free").acquire().close();
    waiting.get(7).cancel(true);
    Eventually.until(
        "left the queue", () -> cluster.state().waiters("a") == RequestNumbers.MAX_WAITS - 1);
    queueUp();
    held.close();
  }

  @Test
  void anAcquisitionThatFindsNoRoomUnderAFreshNumberLeavesTheQueue() throws Exception {
    HeldLock held = session.lock("a").acquire();
    CompletableFuture<HeldLock> waiting = queueUp();
    List<AcquireLockRequest> sent = cluster.requests(AcquireLockRequest.class);
    String owner = sent.get(sent.size() - 1).getOwner();
    Predicate<Message> ofTheWaiter =
        request -> request instanceof AcquireLockRequest next && next.getOwner().equals(owner);
    // The one with the fresh number, then the one that clears up.
    cluster.refuseNext(ofTheWaiter, FakeError.of(ErrorReason.ERROR_REASON_LIMIT_REACHED));
    cluster.refuseNext(ofTheWaiter, FakeError.of(ErrorReason.ERROR_REASON_LIMIT_REACHED));
    for (int i = 0; i < 300; i++) {
      session.lock("b").tryAcquire().orElseThrow().close();
    }
    ExecutionException failure =
        assertThrows(ExecutionException.class, () -> waiting.get(10, TimeUnit.SECONDS));
    assertEquals(Reason.LIMIT_REACHED, ((CoordinatorException) failure.getCause()).reason());
    Eventually.until("left the queue", () -> cluster.state().waiters("a") == 0);
    held.close();
  }

  @Test
  void whatGetsNoNumberEndsAllTheSame() throws Exception {
    CoordinatorClient hasty =
        cluster
            .client()
            .attemptTimeout(Duration.ofMillis(50))
            .callTimeout(Duration.ofMillis(300))
            .build();
    Session other = hasty.newSession(TTL);
    List<HeldLock> holds = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      holds.add(other.lock("many/" + i).acquire());
    }
    cluster.elect(0);
    List<CompletableFuture<Void>> released = holds.stream().map(HeldLock::release).toList();
    UnavailableException failure =
        assertThrows(UnavailableException.class, () -> other.lock("a").tryAcquire());
    assertTrue(failure.outcomeKnown());
    hasty.close();
    for (CompletableFuture<Void> release : released) {
      assertThrows(ExecutionException.class, () -> release.get(10, TimeUnit.SECONDS));
    }
    cluster.elect(1);
  }

  @Test
  void waitersLearnThatTheirSessionEnded() throws Exception {
    HeldLock held = session.lock("a").acquire();
    CompletableFuture<HeldLock> waiting = queueUp();
    cluster.state().end(session.leaseId(), LockEvent.Kind.KIND_EXPIRED);
    ExecutionException failure =
        assertThrows(ExecutionException.class, () -> waiting.get(10, TimeUnit.SECONDS));
    assertEquals(LeaseExpiredException.class, failure.getCause().getClass());
    assertEquals(SessionState.EXPIRED, session.state());
    assertFalse(held.isHeld());
  }

  @Test
  void waitersAreFailedWhenTheirSessionIsClosed() throws Exception {
    Session other = client.newSession(TTL);
    HeldLock held = other.lock("a").acquire();
    CompletableFuture<HeldLock> waiting = queueUp();
    session.close();
    ExecutionException failure =
        assertThrows(ExecutionException.class, () -> waiting.get(10, TimeUnit.SECONDS));
    assertEquals(LeaseExpiredException.class, failure.getCause().getClass());
    held.close();
  }

  @Test
  void acknowledgementsFollowTheAnswers() throws Exception {
    session.lock("a").acquire().close();
    session.lock("a").acquire().close();
    List<AcquireLockRequest> sent = cluster.requests(AcquireLockRequest.class);
    assertEquals(1, sent.get(0).getRequestId().getNumber());
    assertEquals(3, sent.get(1).getRequestId().getNumber());
    assertEquals(3, sent.get(1).getRequestId().getAcknowledgedBelow());
  }

  @Test
  void aTaskRunsWithTheLockHeld() throws Exception {
    long token =
        session
            .lock("a")
            .withMetadata("nightly run")
            .withLock(
                held -> {
                  assertEquals(
                      "nightly run",
                      client.locks().get("a").orElseThrow().holder().orElseThrow().metadata());
                  assertTrue(client.locks().check("a", held.token()).valid());
                  return held.token();
                });
    assertTrue(cluster.state().isFree("a"));
    assertFalse(client.locks().check("a", token).valid());
  }

  @ParameterizedTest
  @MethodSource("immeasurableWaits")
  void aWaitTooLongToMeasureIsOneWithoutLimit(Duration wait) throws Exception {
    HeldLock held = session.lock("a").acquire();
    CompletableFuture<Optional<HeldLock>> waiting = session.lock("a").acquireAsync(wait);
    Eventually.until("queued", () -> cluster.state().waiters("a") == 1);
    List<AcquireLockRequest> sent = cluster.requests(AcquireLockRequest.class);
    assertFalse(sent.get(sent.size() - 1).hasWaitTimeout());
    held.close();
    waiting.get(10, TimeUnit.SECONDS).orElseThrow().close();
    assertTrue(client.locks().acquire("a", session.leaseId(), "somebody", wait).isPresent());
    // Everything before it was answered.
    assertTrue(session.lock("b").tryAcquire().isPresent());
    List<AcquireLockRequest> all = cluster.requests(AcquireLockRequest.class);
    RequestId last = all.get(all.size() - 1).getRequestId();
    assertEquals(last.getNumber(), last.getAcknowledgedBelow());
  }

  private static List<Duration> immeasurableWaits() {
    return List.of(
        Duration.ofNanos(Long.MAX_VALUE),
        Duration.ofMillis(Long.MAX_VALUE),
        ChronoUnit.FOREVER.getDuration());
  }

  @Test
  void aNegativeWaitIsRefused() {
    assertThrows(
        IllegalArgumentException.class, () -> session.lock("a").acquire(Duration.ofMillis(-1)));
  }
}

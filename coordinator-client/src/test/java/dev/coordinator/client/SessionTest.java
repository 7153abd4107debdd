// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.client.SessionEvent.Cause;
import dev.coordinator.client.SessionEvent.Kind;
import dev.coordinator.v1.ErrorReason;
import dev.coordinator.v1.KeepAliveRequest;
import dev.coordinator.v1.LockEvent;
import dev.coordinator.v1.RevokeLeaseRequest;
import io.grpc.inprocess.InProcessChannelBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SessionTest {

  private static final Duration LONG = Duration.ofSeconds(60);

  private final FakeCluster cluster = new FakeCluster(3);

  @AfterEach
  void stop() {
    cluster.close();
  }

  @Test
  void aSessionLivesOnByItsRenewals() throws Exception {
    try (CoordinatorClient client = cluster.client().build();
        Session session = client.newSession(Duration.ofSeconds(2))) {
      long start = System.nanoTime();
      Eventually.until("longer than its TTL", () -> System.nanoTime() - start > 3_000_000_000L);
      assertEquals(SessionState.CONNECTED, session.state());
      assertTrue(session.remaining().compareTo(Duration.ofSeconds(1)) > 0);
    }
  }

  @Test
  void sessionsOfAClientAreRenewedTogether() throws Exception {
    try (CoordinatorClient client = cluster.client().build()) {
      List<Session> sessions = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        sessions.add(client.newSession(Duration.ofMillis(1_500)));
      }
      Eventually.until(
          "one message for all",
          () ->
              cluster.requests(KeepAliveRequest.class).stream()
                  .anyMatch(request -> request.getLeaseIdsCount() == sessions.size()));
    }
  }

  @Test
  void aLateAnswerSendsTheRenewalToAnotherMember() throws Exception {
    cluster.member(1).answerKeepAlives(false);
    try (CoordinatorClient client = cluster.client().build();
        Session session = client.newSession(Duration.ofSeconds(3))) {
      Eventually.until(
          "another member asked",
          () ->
              cluster.membersAsked(KeepAliveRequest.class).stream()
                  .anyMatch(member -> member != 1));
      long renewedWithin = session.ttl().toNanos() / 2;
      Eventually.until("renewed there", () -> session.remaining().toNanos() > renewedWithin);
      assertEquals(SessionState.CONNECTED, session.state());
    }
  }

  @Test
  void aSessionSurvivesTheLeader() throws Exception {
    try (CoordinatorClient client = cluster.client().build();
        Session session = client.newSession(Duration.ofSeconds(2))) {
      Eventually.until("renewals begun", () -> !cluster.requests(KeepAliveRequest.class).isEmpty());
      cluster.member(1).kill();
      cluster.elect(3);
      int before = cluster.requests(KeepAliveRequest.class).size();
      Eventually.until(
          "renewed by the next leader",
          () ->
              cluster.requests(KeepAliveRequest.class).size() > before
                  && session.remaining().toMillis() > 1_500);
      assertEquals(SessionState.CONNECTED, session.state());
    }
  }

  @Test
  void jeopardyThenSafeThenExpiredAreTold() throws Exception {
    ManualTime time = new ManualTime();
    try (CoordinatorClient client = cluster.client().timeSource(time).build()) {
      Session session = client.newSession(LONG);
      Queue<Kind> told = new ConcurrentLinkedQueue<>();
      session.addListener(event -> told.add(event.kind()));
      // The timers run by the real clock; another session makes the client look at the manual one.
      time.advance(Duration.ofSeconds(20));
      client.newSession(LONG);
      Eventually.until("renewed", () -> session.remaining().toSeconds() > 50);
      time.advance(Duration.ofSeconds(45));
      assertEquals(SessionState.JEOPARDY, session.state());
      client.newSession(LONG);
      Eventually.until("safe", () -> session.state() == SessionState.CONNECTED);
      time.advance(Duration.ofMinutes(2));
      assertEquals(SessionState.EXPIRED, session.state());
      assertEquals(Cause.NO_ANSWER, session.expired().get(10, TimeUnit.SECONDS).cause());
      assertEquals(List.of(Kind.JEOPARDY, Kind.SAFE, Kind.EXPIRED), List.copyOf(told));
    }
  }

  @Test
  void aPauseOfTheProcessIsSeenAtTheNextLookAndLosesTheLocks() throws Exception {
    ManualTime time = new ManualTime();
    try (CoordinatorClient client = cluster.client().timeSource(time).build()) {
      Session session = client.newSession(LONG);
      HeldLock held = session.lock("a").acquire();
      assertTrue(held.isHeld());
      time.advance(LONG);
      assertFalse(held.isHeld());
      assertEquals(Duration.ZERO, held.remaining());
      assertThrows(LockLostException.class, held::checkHeld);
      assertEquals(held.token(), held.lost().get(10, TimeUnit.SECONDS).token());
      Eventually.until("revoked, so that others need not wait", () -> cluster.state().isFree("a"));
    }
  }

  @Test
  void aListenerThatBlocksDoesNotWithholdTheLossOfLocks() throws Exception {
    ManualTime time = new ManualTime();
    CountDownLatch blocking = new CountDownLatch(1);
    CountDownLatch done = new CountDownLatch(1);
    try (CoordinatorClient client = cluster.client().timeSource(time).build()) {
      Session session = client.newSession(LONG);
      HeldLock held = session.lock("a").acquire();
      CompletableFuture<HeldLock> waiting = session.lock("a").acquireAsync();
      Eventually.until("queued", () -> cluster.state().waiters("a") == 1);
      session.addListener(
          event -> {
            blocking.countDown();
            awaitQuietly(done);
          });
      time.advance(Duration.ofSeconds(45));
      assertEquals(SessionState.JEOPARDY, session.state());
      assertTrue(blocking.await(10, TimeUnit.SECONDS));
      time.advance(LONG);
      assertEquals(SessionState.EXPIRED, session.state());
      assertEquals(held.token(), held.lost().get(10, TimeUnit.SECONDS).token());
      ExecutionException failure =
          assertThrows(ExecutionException.class, () -> waiting.get(10, TimeUnit.SECONDS));
      assertEquals(LeaseExpiredException.class, failure.getCause().getClass());
      done.countDown();
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void theClusterEndsASession() throws Exception {
    try (CoordinatorClient client = cluster.client().build();
        Session session = client.newSession(Duration.ofSeconds(1))) {
      cluster.state().end(session.leaseId(), LockEvent.Kind.KIND_EXPIRED);
      SessionEvent end = session.expired().get(10, TimeUnit.SECONDS);
      assertEquals(Cause.ENDED_BY_CLUSTER, end.cause());
      assertEquals(SessionState.EXPIRED, session.state());
      assertThrows(LeaseExpiredException.class, () -> session.lock("a").acquire());
    }
  }

  @Test
  void closingRevokesTheLeaseAndLosesItsLocks() throws Exception {
    try (CoordinatorClient client = cluster.client().build()) {
      Session session = client.newSession(LONG);
      HeldLock held = session.lock("a").acquire();
      session.close();
      assertFalse(cluster.state().isAlive(session.leaseId()));
      assertFalse(held.isHeld());
      assertEquals(
          CoordinatorException.Reason.CLOSED, held.lost().get(10, TimeUnit.SECONDS).reason());
      session.close();
    }
  }

  @Test
  void closingTheClientRevokesItsLeases() {
    CoordinatorClient client = cluster.client().build();
    client.newSession(LONG);
    client.newSession(LONG);
    client.close();
    assertEquals(0, cluster.state().leaseCount());
  }

  /** A client whose answers never come on the thread that asks. */
  private CoordinatorClient answeredElsewhere(TimeSource time) {
    return cluster
        .client()
        .connector(address -> InProcessChannelBuilder.forName(address).build())
        .timeSource(time)
        .build();
  }

  @Test
  void aSessionThatComesTooLateIsClosed() throws Exception {
    CountDownLatch cancelled = new CountDownLatch(1);
    Trap trap = new Trap(TimeSource.system(), "Session.begin", () -> awaitQuietly(cancelled));
    try (CoordinatorClient client = answeredElsewhere(trap)) {
      // Not granted before this thread is done with it.
      cluster.elect(0);
      CompletableFuture<Session> opening = client.newSessionAsync(LONG);
      cluster.elect(1);
      Eventually.until("granted", trap::isSprung);
      assertEquals(1, cluster.state().leaseCount());
      opening.cancel(true);
      cancelled.countDown();
      Eventually.until("revoked", () -> cluster.state().leaseCount() == 0);
    }
  }

  @Test
  void anInterruptClosesASessionThatComesTooLate() throws Exception {
    CountDownLatch interrupted = new CountDownLatch(1);
    Trap trap = new Trap(TimeSource.system(), "Session.begin", () -> awaitQuietly(interrupted));
    try (CoordinatorClient client = answeredElsewhere(trap)) {
      CompletableFuture<CoordinatorException> thrown = new CompletableFuture<>();
      Thread opening =
          new Thread(
              () -> {
                try {
                  client.newSession(LONG);
                } catch (CoordinatorException e) {
                  thrown.complete(e);
                }
              });
      cluster.elect(0);
      opening.start();
      Eventually.until("waiting", () -> opening.getState() == Thread.State.WAITING);
      cluster.elect(1);
      Eventually.until("granted", trap::isSprung);
      opening.interrupt();
      assertEquals(
          CoordinatorException.Reason.INTERRUPTED, thrown.get(10, TimeUnit.SECONDS).reason());
      interrupted.countDown();
      Eventually.until("revoked", () -> cluster.state().leaseCount() == 0);
    }
  }

  @Test
  void anInterruptedThreadGivesBackAllTheSame() {
    CoordinatorClient client = cluster.client().build();
    Session session = client.newSession(LONG);
    client.newSession(LONG);
    for (int i = 0; i < 5; i++) {
      cluster.refuseNext(
          request ->
              request instanceof RevokeLeaseRequest revoke
                  && revoke.getLeaseId() == session.leaseId(),
          FakeError.of(ErrorReason.ERROR_REASON_NO_LEADER));
    }
    Thread.currentThread().interrupt();
    session.close();
    client.close();
    assertTrue(Thread.interrupted());
    assertEquals(0, cluster.state().leaseCount());
  }

  @Test
  void aListenerThatThrowsDoesNotHideTheEventFromOthers() throws Exception {
    try (CoordinatorClient client = cluster.client().build()) {
      Session session = client.newSession(LONG);
      Queue<SessionEvent> told = new ConcurrentLinkedQueue<>();
      session.addListener(
          event -> {
            throw new AssertionError("planned by the test");
          });
      session.addListener(told::add);
      session.close();
      session.expired().get(10, TimeUnit.SECONDS);
      assertEquals(1, told.size());
    }
  }
}

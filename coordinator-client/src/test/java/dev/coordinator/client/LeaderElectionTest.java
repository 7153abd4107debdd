// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.v1.LockEvent;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LeaderElectionTest {

  private static final Duration TTL = Duration.ofSeconds(1);

  private final FakeCluster cluster = new FakeCluster(3);
  private final BlockingQueue<Leadership> started = new LinkedBlockingQueue<>();
  private final BlockingQueue<Leadership> stopped = new LinkedBlockingQueue<>();
  private final AtomicInteger interrupted = new AtomicInteger();
  private CoordinatorClient client;

  @BeforeEach
  void connect() {
    client = cluster.client().build();
  }

  @AfterEach
  void stop() {
    client.close();
    cluster.close();
  }

  private void leadUntilInterrupted(Leadership leadership) throws InterruptedException {
    started.add(leadership);
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      interrupted.incrementAndGet();
      throw e;
    }
  }

  private LeaderElection.Builder candidacy() {
    return LeaderElection.builder(client, "leader")
        .ttl(TTL)
        .metadata("node-1")
        .onElected(this::leadUntilInterrupted)
        .onStopped(stopped::add);
  }

  private static Leadership next(BlockingQueue<Leadership> queue) throws InterruptedException {
    Leadership leadership = queue.poll(10, TimeUnit.SECONDS);
    assertTrue(leadership != null, "nothing happened");
    return leadership;
  }

  @Test
  void theTaskRunsWithTheTokenAndClosingStopsItAndGivesBack() throws Exception {
    LeaderElection election = candidacy().start();
    Leadership leadership = next(started);
    assertTrue(leadership.isValid());
    assertTrue(election.isLeader());
    LockInfo.Holder holder = client.locks().get("leader").orElseThrow().holder().orElseThrow();
    assertEquals(holder.token(), leadership.token());
    assertEquals("node-1", holder.metadata());
    election.close();
    assertEquals(1, interrupted.get());
    assertEquals(List.of(leadership), List.copyOf(stopped));
    assertFalse(leadership.isValid());
    assertFalse(election.isLeader());
    assertTrue(cluster.state().isFree("leader"));
    assertEquals(0, cluster.state().leaseCount());
  }

  @Test
  void aLossInterruptsTheTaskAndTheCandidacyGoesOnWithAFreshSession() throws Exception {
    try (LeaderElection election = candidacy().start()) {
      Leadership first = next(started);
      long firstLease = first.held().session().leaseId();
      cluster.state().end(firstLease, LockEvent.Kind.KIND_EXPIRED);
      assertEquals(first, next(stopped));
      assertEquals(1, interrupted.get());
      assertTrue(first.lost().isDone());
      Leadership second = next(started);
      assertTrue(second.token() > first.token());
      assertNotEquals(firstLease, second.held().session().leaseId());
      assertTrue(election.isLeader());
    }
    assertEquals(2, interrupted.get());
  }

  @Test
  void returningResignsAndOthersComeNext() throws Exception {
    CountDownLatch resign = new CountDownLatch(1);
    try (LeaderElection first =
            LeaderElection.builder(client, "leader")
                .ttl(TTL)
                .onElected(
                    leadership -> {
                      started.add(leadership);
                      resign.await();
                    })
                .once()
                .onStopped(stopped::add)
                .start();
        CoordinatorClient otherClient = cluster.client().build()) {
      Leadership resigned = next(started);
      try (LeaderElection second =
          LeaderElection.builder(otherClient, "leader")
              .ttl(TTL)
              .onElected(this::leadUntilInterrupted)
              .start()) {
        Eventually.until("queued", () -> cluster.state().waiters("leader") == 1);
        resign.countDown();
        assertTrue(next(started).token() > resigned.token());
        assertEquals(resigned, next(stopped));
        assertFalse(first.isLeader());
        assertTrue(second.isLeader());
      }
    }
  }

  @Test
  void aTaskThatThrowsIsStoppedOnceAndRunsAgain() throws Exception {
    try (LeaderElection election =
        LeaderElection.builder(client, "leader")
            .ttl(TTL)
            .onElected(
                leadership -> {
                  started.add(leadership);
                  throw new IllegalStateException("planned by the test");
                })
            .onStopped(stopped::add)
            .start()) {
      Leadership first = next(started);
      assertEquals(first, next(stopped));
      Leadership second = next(started);
      assertEquals(second, next(stopped));
      assertTrue(second.token() > first.token());
    }
    assertEquals(started.size(), stopped.size());
  }

  @Test
  void anErrorOfTheTaskEndsItsRunAndNotTheCandidacy() throws Exception {
    try (LeaderElection election =
        LeaderElection.builder(client, "leader")
            .ttl(TTL)
            .onElected(
                leadership -> {
                  started.add(leadership);
                  throw new NoClassDefFoundError("planned by the test");
                })
            .onStopped(
                leadership -> {
                  stopped.add(leadership);
                  throw new AssertionError("planned by the test");
                })
            .start()) {
      Leadership first = next(started);
      assertEquals(first, next(stopped));
      assertTrue(next(started).token() > first.token());
    }
    assertEquals(0, cluster.state().leaseCount());
  }

  @Test
  void onceIsForATaskThatRan() throws Exception {
    client.close();
    ManualTime time = new ManualTime();
    // The process is paused between the grant and the first look at it.
    Trap pause = new Trap(time, "LeaderElection.leadAndResign", () -> time.advance(TTL));
    client = cluster.client().timeSource(pause).build();
    try (LeaderElection election = candidacy().once().start()) {
      Leadership leadership = next(started);
      assertTrue(pause.isSprung());
      assertTrue(leadership.isValid());
    }
    assertEquals(1, stopped.size());
  }

  @Test
  void theCandidacySurvivesAnUnexpectedFailure() throws Exception {
    client.close();
    Trap failure =
        new Trap(
            TimeSource.system(),
            "LeaderElection.stand",
            () -> {
              throw new IllegalStateException("planned by the test");
            });
    client = cluster.client().timeSource(failure).build();
    try (LeaderElection election = candidacy().start()) {
      next(started);
      assertTrue(failure.isSprung());
      assertTrue(election.isLeader());
    }
  }

  @Test
  void aCandidateThatNeverLedIsNotTold() throws Exception {
    Session session = client.newSession(Duration.ofSeconds(60));
    HeldLock held = session.lock("leader").acquire();
    LeaderElection election = candidacy().start();
    Eventually.until("queued", () -> cluster.state().waiters("leader") == 1);
    election.close();
    assertTrue(started.isEmpty());
    assertTrue(stopped.isEmpty());
    assertEquals(0, cluster.state().waiters("leader"));
    held.close();
  }

  @Test
  void theTaskMayCloseItsOwnElection() throws Exception {
    BlockingQueue<LeaderElection> elections = new LinkedBlockingQueue<>();
    LeaderElection election =
        LeaderElection.builder(client, "leader")
            .ttl(TTL)
            .onElected(leadership -> elections.take().close())
            .onStopped(stopped::add)
            .start();
    elections.add(election);
    next(stopped);
    Eventually.until("given back", () -> cluster.state().leaseCount() == 0);
  }

  @Test
  void theCandidacySurvivesAnOutage() throws Exception {
    client.close();
    cluster.elect(0);
    client = cluster.client().callTimeout(Duration.ofMillis(100)).build();
    try (LeaderElection election = candidacy().start()) {
      Eventually.until(
          "tried more than once",
          () -> cluster.requests(dev.coordinator.v1.GrantLeaseRequest.class).size() > 10);
      cluster.elect(2);
      next(started);
      assertTrue(election.isLeader());
    }
  }
}

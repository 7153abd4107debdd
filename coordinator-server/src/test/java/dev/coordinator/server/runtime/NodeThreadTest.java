// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import static dev.coordinator.server.runtime.Calls.acquire;
import static dev.coordinator.server.runtime.Calls.lease;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.metrics.LoopMetrics;
import dev.coordinator.server.metrics.NodeMetrics;
import dev.coordinator.server.ports.PeerSender;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.RaftTrace;
import dev.coordinator.server.raft.Sender;
import dev.coordinator.server.raft.WriteBatch;
import dev.coordinator.server.runtime.NodeException.Reason;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A member of one with real threads and a log that is durable at once. */
@Timeout(60)
class NodeThreadTest {

  private final Mailbox mailbox =
      new Mailbox(1_000, 1_000, new LoopMetrics(new SimpleMeterRegistry()));
  private final ExecutorService replies = Executors.newSingleThreadExecutor();
  private final AtomicReference<Throwable> fatal = new AtomicReference<>();
  private final CountDownLatch died = new CountDownLatch(1);
  private volatile boolean diskWorks = true;
  private CoordinatorNode node;
  private NodeThread thread;

  @BeforeEach
  void start() throws InterruptedException {
    NodeLoop loop =
        new NodeLoop(
            MemberState.fresh(new NodeId(1), new Membership(List.of(new NodeId(1)))),
            NodeSettings.DEFAULT,
            new NodePorts(
                mailbox,
                this::append,
                new MemorySnapshots(new NodeId(1), new HashMap<>()),
                new Nobody(),
                System::nanoTime,
                new SplittableRandom(1),
                replies,
                replies,
                RaftTrace.NONE),
            NodeMetrics.none(List.of()),
            System.nanoTime());
    node = new CoordinatorNode(loop);
    thread =
        new NodeThread(
            "node",
            loop,
            System::nanoTime,
            cause -> {
              fatal.set(cause);
              died.countDown();
            });
    thread.start();
    while (!node.isLeader()) {
      Thread.onSpinWait();
    }
  }

  /** The other members of a cluster of one. */
  private static final class Nobody implements PeerSender {

    @Override
    public void configure(Sender self, Membership membership) {}

    @Override
    public void send(RaftMessage message) {
      throw new AssertionError("there is nobody to tell " + message);
    }
  }

  @AfterEach
  void stop() throws InterruptedException {
    thread.close();
    replies.shutdown();
    assertTrue(replies.awaitTermination(10, TimeUnit.SECONDS));
  }

  private void append(WriteBatch batch) {
    if (diskWorks) {
      mailbox.persisted(batch.number());
    }
  }

  private static <T> T get(CompletableFuture<T> future) throws Exception {
    return future.get(30, TimeUnit.SECONDS);
  }

  private static Reason reason(CompletableFuture<?> future) {
    Throwable cause = assertThrows(ExecutionException.class, () -> get(future)).getCause();
    return assertInstanceOf(NodeException.class, cause).reason();
  }

  @Test
  void servesManyThreads() throws Exception {
    ExecutorService clients = Executors.newFixedThreadPool(4);
    try {
      List<Future<Integer>> results = new ArrayList<>();
      for (int client = 0; client < 4; client++) {
        String name = "lock-" + client;
        results.add(clients.submit(() -> lockAndRelease(name, 200)));
      }
      for (Future<Integer> result : results) {
        assertEquals(200, result.get(50, TimeUnit.SECONDS));
      }
      assertEquals(4, get(node.read(MachineView::leaseCount)).value());
      assertEquals(0, get(node.read(MachineView::lockCount)).value());
    } finally {
      clients.shutdownNow();
    }
    assertNull(fatal.get());
  }

  private int lockAndRelease(String name, int times) throws Exception {
    Outcome granted = get(node.submit(lease(60_000)).future()).value();
    long leaseId = ((Outcome.LeaseGranted) granted).leaseId();
    long lastToken = 0;
    int done = 0;
    for (int i = 0; i < times; i++) {
      Outcome outcome = get(node.submit(acquire(name, leaseId, 0)).future()).value();
      long token = ((Outcome.LockAcquired) outcome).token();
      assertTrue(token > lastToken, "tokens rise");
      lastToken = token;
      Command release = Calls.release(name, leaseId, token);
      assertInstanceOf(Outcome.LockReleased.class, get(node.submit(release).future()).value());
      done++;
    }
    return done;
  }

  @Test
  void ticksWithoutInputs() throws Exception {
    get(node.submit(lease(100)).future());
    while (get(node.read(MachineView::leaseCount)).value() != 0) {
      Thread.onSpinWait();
    }
  }

  @Test
  void closingFailsWhatWaits() {
    diskWorks = false;
    PendingCall proposed = node.submit(lease(1_000));
    while (proposed.index() == 0) {
      Thread.onSpinWait();
    }
    thread.close();
    assertEquals(Reason.OUTCOME_UNKNOWN, reason(proposed.future()));
    assertEquals(Reason.NO_LEADER, reason(node.submit(lease(1_000)).future()));
    assertFalse(node.isLeader());
    assertNull(fatal.get());
  }

  @Test
  void aStorageFailureStopsTheMember() throws Exception {
    diskWorks = false;
    CompletableFuture<Answered<Outcome>> proposed = node.submit(lease(1_000)).future();
    IOException cause = new IOException("no space left on device");
    mailbox.failed(cause);
    assertTrue(died.await(30, TimeUnit.SECONDS));
    assertSame(cause, fatal.get().getCause());
    assertFalse(node.isLeader());
    assertEquals(Reason.NO_LEADER, reason(node.submit(lease(1_000)).future()));
    assertTrue(
        List.of(Reason.OUTCOME_UNKNOWN, Reason.NO_LEADER).contains(reason(proposed)),
        "whether it was proposed or not, it has ended");
  }
}

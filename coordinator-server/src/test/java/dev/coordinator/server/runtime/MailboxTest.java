// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import static dev.coordinator.server.runtime.Calls.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.metrics.LoopMetrics;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.Sender;
import dev.coordinator.server.runtime.NodeException.Reason;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class MailboxTest {

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Mailbox mailbox = new Mailbox(3, 2, new LoopMetrics(registry));

  private static LoopInput.Read<Integer> call() {
    return new LoopInput.Read<>(MachineView::leaseCount, false);
  }

  private static RaftMessage message(long round) {
    return new RaftMessage.AppendEntries(
        new NodeId(2), new NodeId(1), 1, 0, 0, List.of(), 0, round, 0);
  }

  private List<LoopInput> takeAll() {
    List<LoopInput> taken = new ArrayList<>();
    for (LoopInput input = mailbox.take(); input != null; input = mailbox.take()) {
      taken.add(input);
    }
    return taken;
  }

  private double count(String input) {
    return registry.get("coordinator.mailbox.rejected").tag("input", input).counter().count();
  }

  @Test
  void keepsTheOrder() {
    mailbox.persisted(1);
    LoopInput.Read<Integer> call = call();
    mailbox.offer(call);
    mailbox.persisted(2);
    List<LoopInput> first = List.of(mailbox.take(), mailbox.take());
    mailbox.persisted(3);
    List<LoopInput> rest = takeAll();

    assertEquals(1, ((LoopInput.Persisted) first.get(0)).batch);
    assertEquals(call, first.get(1));
    assertEquals(2, ((LoopInput.Persisted) rest.get(0)).batch);
    assertEquals(3, ((LoopInput.Persisted) rest.get(1)).batch);
    assertTrue(mailbox.isEmpty());
  }

  @Test
  void refusesCallsBeyondItsCapacity() {
    for (int i = 0; i < 3; i++) {
      assertTrue(mailbox.offer(call()));
    }
    assertFalse(mailbox.offer(call()));
    NodeException refusal = mailbox.refusal(new NodeId(1));
    assertEquals(Reason.OVERLOADED, refusal.reason());
    assertEquals("limits.maxQueuedInputs", refusal.limit());
    assertEquals(3, refusal.maximum());
    assertEquals(1, count("call"));

    mailbox.take();
    assertTrue(mailbox.offer(call()), "there is room again");
  }

  @Test
  void dropsMessagesBeyondTheirCapacity() {
    for (int round = 0; round < 5; round++) {
      mailbox.receive(Sender.UNKNOWN, message(round));
    }
    assertEquals(2, takeAll().size());
    assertEquals(3, count("message"));
    mailbox.receive(Sender.UNKNOWN, message(9));
    assertEquals(1, takeAll().size());
  }

  @Test
  void takesWhatStorageReportsHoweverFull() {
    for (int i = 0; i < 3; i++) {
      mailbox.offer(call());
      mailbox.receive(Sender.UNKNOWN, message(i));
    }
    mailbox.persisted(7);
    mailbox.disconnected(new NodeId(2));
    mailbox.failed(new IllegalStateException("disk"));
    assertEquals(3 + 2 + 3, takeAll().size());
  }

  @Test
  void rejectsWhatWaitsWhenItCloses() {
    LoopInput.Read<Integer> taken = call();
    LoopInput.Read<Integer> queued = call();
    mailbox.persisted(1);
    mailbox.offer(taken);
    mailbox.take();
    mailbox.offer(queued);

    mailbox.close(NodeException.notLeader(NodeId.NONE));

    assertEquals(Reason.NO_LEADER, failure(taken.future).reason());
    assertEquals(Reason.NO_LEADER, failure(queued.future).reason());
    assertFalse(mailbox.offer(call()));
    assertEquals(Reason.NO_LEADER, mailbox.refusal(new NodeId(1)).reason());
    mailbox.persisted(2);
    assertEquals(List.of(), takeAll());
  }

  @Test
  void callsItsListenerWhenItWasEmpty() {
    AtomicInteger calls = new AtomicInteger();
    mailbox.onInput(calls::incrementAndGet);
    mailbox.persisted(1);
    mailbox.persisted(2);
    assertEquals(1, calls.get());
    takeAll();
    mailbox.persisted(3);
    assertEquals(2, calls.get());
  }

  @Test
  @Timeout(60)
  void losesNothingBetweenManyThreads() throws Exception {
    int writers = 4;
    int each = 50_000;
    Mailbox shared = new Mailbox(1, 1, new LoopMetrics(new SimpleMeterRegistry()));
    Thread reader = Thread.currentThread();
    shared.onInput(() -> LockSupport.unpark(reader));
    CountDownLatch start = new CountDownLatch(1);
    ExecutorService threads = Executors.newFixedThreadPool(writers);
    try {
      for (int writer = 0; writer < writers; writer++) {
        long from = (long) writer * each;
        threads.submit(
            () -> {
              start.await();
              for (long number = from; number < from + each; number++) {
                shared.persisted(number);
              }
              return null;
            });
      }
      start.countDown();
      List<Long> next = new ArrayList<>(Collections.nCopies(writers, 0L));
      for (int received = 0; received < writers * each; ) {
        LoopInput input = shared.take();
        if (input == null) {
          // Returns at once if an input came since; a lost wake-up would end in the timeout.
          LockSupport.park();
          continue;
        }
        long number = ((LoopInput.Persisted) input).batch;
        int writer = (int) (number / each);
        assertEquals(next.get(writer), number % each, "in the order of its writer");
        next.set(writer, number % each + 1);
        received++;
      }
      assertTrue(shared.isEmpty());
    } finally {
      threads.shutdownNow();
      assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS));
    }
  }
}

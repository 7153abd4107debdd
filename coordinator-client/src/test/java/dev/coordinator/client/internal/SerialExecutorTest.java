// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SerialExecutorTest {

  private static final int TASKS = 10_000;

  @Test
  void tasksRunInOrderAndNeverTogether() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try {
      SerialExecutor serial = new SerialExecutor(pool);
      // Not thread-safe: tasks that ran together or unordered would show here.
      List<Integer> seen = new ArrayList<>();
      CountDownLatch done = new CountDownLatch(1);
      for (int i = 0; i < TASKS; i++) {
        int number = i;
        serial.execute(() -> seen.add(number));
      }
      serial.execute(done::countDown);
      assertTrue(done.await(20, TimeUnit.SECONDS));
      assertEquals(IntStream.range(0, TASKS).boxed().toList(), seen);
    } finally {
      pool.shutdown();
    }
  }

  @Test
  void aTaskThatThrowsDoesNotStopThoseBehindIt() {
    SerialExecutor serial = new SerialExecutor(Runnable::run);
    List<String> seen = new ArrayList<>();
    serial.execute(
        () -> {
          serial.execute(() -> seen.add("second"));
          throw new IllegalStateException("planned by the test");
        });
    assertEquals(List.of("second"), seen);
  }

  @Test
  void nothingIsLostWhenTheSharedExecutorIsShutDown() throws Exception {
    ExecutorService substitute = Executors.newCachedThreadPool();
    try {
      SerialExecutor serial =
          new SerialExecutor(new CallbackExecutor(SerialExecutorTest::reject, substitute));
      BlockingQueue<Integer> seen = new LinkedBlockingQueue<>();
      BlockingQueue<Thread> threads = new LinkedBlockingQueue<>();
      for (int i = 0; i < 100; i++) {
        int number = i;
        serial.execute(
            () -> {
              threads.add(Thread.currentThread());
              seen.add(number);
            });
      }
      for (int i = 0; i < 100; i++) {
        assertEquals(i, seen.poll(20, TimeUnit.SECONDS));
      }
      assertFalse(threads.contains(Thread.currentThread()));
    } finally {
      substitute.shutdown();
    }
  }

  private static void reject(Runnable task) {
    throw new RejectedExecutionException("shut down");
  }

  @Test
  void aSharedExecutorThatThrewIsAskedAgain() {
    AtomicBoolean broken = new AtomicBoolean(true);
    SerialExecutor serial =
        new SerialExecutor(
            task -> {
              if (broken.get()) {
                throw new OutOfMemoryError("planned by the test");
              }
              task.run();
            });
    List<String> seen = new ArrayList<>();
    assertThrows(OutOfMemoryError.class, () -> serial.execute(() -> seen.add("first")));
    broken.set(false);
    serial.execute(() -> seen.add("second"));
    assertEquals(List.of("first", "second"), seen);
  }
}

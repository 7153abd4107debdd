// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
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
  void nothingIsLostWhenTheSharedExecutorIsShutDown() {
    SerialExecutor serial =
        new SerialExecutor(
            new CallbackExecutor(
                task -> {
                  throw new RejectedExecutionException("shut down");
                }));
    List<String> seen = new ArrayList<>();
    serial.execute(() -> seen.add("first"));
    assertEquals(List.of("first"), seen);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class FencingGuardTest {

  @Test
  void equalAndLargerTokensPassAndSmallerOnesDoNot() {
    FencingGuard guard = new FencingGuard();
    assertTrue(guard.tryAccept(5));
    assertTrue(guard.tryAccept(5));
    assertTrue(guard.tryAccept(7));
    assertFalse(guard.tryAccept(6));
    StaleTokenException stale = assertThrows(StaleTokenException.class, () -> guard.accept(6));
    assertEquals(6, stale.token());
    assertEquals(7, stale.highest());
  }

  @Test
  void tokensAreUnsigned() {
    FencingGuard guard = new FencingGuard(Long.MAX_VALUE);
    assertTrue(guard.tryAccept(Long.MIN_VALUE));
    assertFalse(guard.tryAccept(Long.MAX_VALUE));
  }

  @Test
  void aStaleTaskDoesNotRun() {
    FencingGuard guard = new FencingGuard(10);
    assertThrows(
        StaleTokenException.class,
        () ->
            guard.run(
                9,
                () -> {
                  throw new AssertionError("ran with a stale token");
                }));
  }

  @Test
  void tokensOfTasksNeverFallUnderConcurrency() throws Exception {
    FencingGuard guard = new FencingGuard();
    // Not thread-safe on purpose: the guard has to order the tasks.
    List<Long> written = new ArrayList<>();
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try {
      List<Callable<Integer>> writers = new ArrayList<>();
      for (int writer = 0; writer < 4; writer++) {
        int first = writer;
        writers.add(() -> write(guard, written, first));
      }
      int accepted = 0;
      for (Future<Integer> result : pool.invokeAll(writers)) {
        accepted += result.get();
      }
      assertEquals(accepted, written.size());
      assertEquals(written.stream().sorted().toList(), written);
      assertEquals(9_999, guard.highest());
    } finally {
      pool.shutdown();
    }
  }

  private static int write(FencingGuard guard, List<Long> written, int first) {
    int accepted = 0;
    for (long token = first; token < 10_000; token += 4) {
      long mine = token;
      try {
        guard.run(mine, () -> written.add(mine));
        accepted++;
      } catch (StaleTokenException e) {
        assertTrue(e.highest() > mine);
      }
    }
    return accepted;
  }
}

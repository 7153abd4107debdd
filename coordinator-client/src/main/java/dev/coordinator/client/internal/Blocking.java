// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import dev.coordinator.client.CoordinatorException;
import dev.coordinator.client.CoordinatorException.Reason;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** Waiting for futures on the caller's thread. */
public final class Blocking {

  private Blocking() {}

  /**
   * Waits; an interrupt cancels the call and is passed on.
   *
   * @param unwanted takes a result that came in the moment of the interrupt
   */
  public static <T> T await(CompletableFuture<T> future, Consumer<T> unwanted)
      throws InterruptedException {
    try {
      return future.get();
    } catch (InterruptedException e) {
      if (!future.cancel(true) && !future.isCompletedExceptionally()) {
        unwanted.accept(future.join());
      }
      throw e;
    } catch (CancellationException e) {
      throw new CoordinatorException(Reason.CLOSED, "the call was cancelled", Map.of(), e);
    } catch (ExecutionException e) {
      throw unwrapped(e);
    }
  }

  /**
   * As {@link #await}, for short calls: an interrupt becomes an exception and sets the flag again.
   */
  public static <T> T get(CompletableFuture<T> future) {
    return get(future, ignored -> {});
  }

  /**
   * As {@link #get(CompletableFuture)}.
   *
   * @param unwanted takes a result that came in the moment of the interrupt
   */
  public static <T> T get(CompletableFuture<T> future, Consumer<T> unwanted) {
    try {
      return await(future, unwanted);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CoordinatorException(
          Reason.INTERRUPTED, "interrupted while waiting for an answer", Map.of(), e);
    }
  }

  /** Waits, but not for longer than the limit; an interrupt sets the flag again, afterwards. */
  public static void awaitUninterruptibly(CompletableFuture<?> future, Duration limit)
      throws ExecutionException, TimeoutException {
    long startedAtNanos = System.nanoTime();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          long leftNanos = limit.toNanos() - (System.nanoTime() - startedAtNanos);
          future.get(leftNanos, TimeUnit.NANOSECONDS);
          return;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * The failure of the call; the caller's stack is added, since the failure arose on another
   * thread.
   */
  private static RuntimeException unwrapped(ExecutionException e) {
    Throwable cause = e.getCause();
    if (cause instanceof Error error) {
      throw error;
    }
    if (cause instanceof RuntimeException failure) {
      failure.addSuppressed(new CallSite());
      return failure;
    }
    return new IllegalStateException(cause);
  }

  /** Shows in a stack trace where the failed call was made. */
  private static final class CallSite extends Throwable {

    private static final long serialVersionUID = 1L;

    CallSite() {
      super("the call was made here");
    }
  }
}

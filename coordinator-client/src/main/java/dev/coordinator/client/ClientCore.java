// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import dev.coordinator.client.internal.KeepAliver;
import dev.coordinator.client.internal.LeaderChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * What the parts of one client share.
 *
 * @param callbacks where code of the application runs; never rejects a task
 * @param owner the label of leases that have none of their own
 * @param callTimeout how long a call that is answered at once may take, retries included
 * @param driftMargin the fraction of each TTL that is given away for drifting clocks
 */
record ClientCore(
    LeaderChannel channel,
    KeepAliver keepAliver,
    TimeSource time,
    ScheduledExecutorService scheduler,
    Executor callbacks,
    String owner,
    Duration callTimeout,
    double driftMargin) {

  /**
   * A future for the application: completed on the callback executor. Whoever cancels it, or
   * completes it in another way, such as with a timeout, cancels the call behind it.
   *
   * @param mapping makes what the application wants of the answer
   * @param unwanted takes an answer that came too late to be delivered
   */
  <A, T> CompletableFuture<T> handOver(
      CompletableFuture<A> call, Function<A, T> mapping, Consumer<A> unwanted) {
    CompletableFuture<T> handed = new CompletableFuture<>();
    call.whenCompleteAsync(
        (answer, failure) -> {
          if (failure != null) {
            handed.completeExceptionally(unwrap(failure));
            return;
          }
          try {
            if (!handed.complete(mapping.apply(answer))) {
              unwanted.accept(answer);
            }
          } catch (RuntimeException | Error e) {
            handed.completeExceptionally(e);
          }
        },
        callbacks);
    // Does nothing to a call that has ended by itself.
    handed.whenComplete((value, failure) -> call.cancel(true));
    return handed;
  }

  /** As {@link #handOver(CompletableFuture, Function, Consumer)}, for what is handed as it is. */
  <T> CompletableFuture<T> handOver(CompletableFuture<T> call, Consumer<T> unwanted) {
    return handOver(call, Function.identity(), unwanted);
  }

  /** Runs a short task on the scheduler thread, unless the client is closed. */
  void execute(Runnable task) {
    try {
      scheduler.execute(task);
    } catch (RejectedExecutionException e) {
      // What a closed client leaves undone, the end of its leases makes good.
      return;
    }
  }

  /** Runs a short task on the scheduler thread after a while; at once if the client is closed. */
  void executeAfter(Duration delay, Runnable task) {
    try {
      scheduler.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      task.run();
    }
  }

  static Throwable unwrap(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }
}

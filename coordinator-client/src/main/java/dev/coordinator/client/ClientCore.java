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
import java.util.function.Consumer;

/**
 * What the parts of one client share.
 *
 * @param callbacks where code of the application runs
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
   * A future for the application: completed on the callback executor, and cancelling it cancels the
   * call behind it.
   *
   * @param unwanted takes a result that came too late to be delivered
   */
  <T> CompletableFuture<T> handOver(CompletableFuture<T> call, Consumer<T> unwanted) {
    CompletableFuture<T> handed = new CompletableFuture<>();
    call.whenCompleteAsync(
        (value, failure) -> {
          if (failure != null) {
            handed.completeExceptionally(unwrap(failure));
          } else if (!handed.complete(value)) {
            unwanted.accept(value);
          }
        },
        callbacks);
    handed.whenComplete(
        (value, failure) -> {
          if (handed.isCancelled()) {
            call.cancel(true);
          }
        });
    return handed;
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

  static Throwable unwrap(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }
}

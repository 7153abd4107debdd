// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.Outcome;
import java.util.concurrent.CompletableFuture;

/**
 * A command on its way through the log. Thread-safe.
 *
 * <p>The future ends with the outcome, or with a {@link NodeException}. It is completed on the
 * reply executor or, if the command is refused before it reaches the loop, by the submitting
 * thread; never on the loop.
 */
public final class PendingCall implements PendingReply {

  private final CompletableFuture<Answered<Outcome>> future = new CompletableFuture<>();
  private volatile long index;
  private volatile boolean cancelled;

  public CompletableFuture<Answered<Outcome>> future() {
    return future;
  }

  /** The index of its entry; 0 until it is proposed. */
  public long index() {
    return index;
  }

  void proposedAt(long entryIndex) {
    index = entryIndex;
  }

  /** Notes that the caller gave up: if the command is not proposed yet, it need not be. */
  void cancel() {
    cancelled = true;
  }

  boolean isCancelled() {
    return cancelled;
  }

  @Override
  public void complete(Answered<Outcome> answer) {
    future.complete(answer);
  }

  @Override
  public void fail(NodeException why) {
    future.completeExceptionally(why);
  }
}

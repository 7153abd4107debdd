// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.Outcome;
import java.util.concurrent.CompletableFuture;

/**
 * A command on its way through the log. Thread-safe.
 *
 * <p>The future ends with the outcome, or with a {@link NodeException}. It is completed on the
 * reply executor, never on the loop.
 */
public final class PendingCall {

  private final CompletableFuture<Answered<Outcome>> future = new CompletableFuture<>();
  private volatile long index;

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
}

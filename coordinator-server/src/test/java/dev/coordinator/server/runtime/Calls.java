// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.machine.RequestId;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Commands as tests write them, and what came of them. */
final class Calls {

  private Calls() {}

  static Command.GrantLease lease(long ttlMs) {
    return new Command.GrantLease(ttlMs, "test", "");
  }

  static Command.AcquireLock acquire(String name, long leaseId, long waitMs) {
    return acquire(name, leaseId, waitMs, RequestId.NONE);
  }

  static Command.AcquireLock acquire(String name, long leaseId, long waitMs, RequestId request) {
    return new Command.AcquireLock(name, leaseId, null, "", waitMs, "", request);
  }

  static Command.ReleaseLock release(String name, long leaseId, long token) {
    return new Command.ReleaseLock(name, leaseId, "", token, RequestId.NONE);
  }

  /** The outcome of a call that has ended, which must be of this type. */
  static <T extends Outcome> T outcome(PendingCall call, Class<T> type) {
    return assertInstanceOf(type, value(call.future()).value());
  }

  /** The value of a future that has ended well. */
  static <T> T value(CompletableFuture<T> future) {
    assertTrue(future.isDone(), "not answered");
    return future.join();
  }

  /** Why a future has failed. */
  static NodeException failure(CompletableFuture<?> future) {
    assertTrue(future.isCompletedExceptionally(), "has not failed");
    try {
      future.join();
      throw new AssertionError("has not failed");
    } catch (CompletionException e) {
      return assertInstanceOf(NodeException.class, e.getCause());
    }
  }
}

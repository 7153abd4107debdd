// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import dev.coordinator.client.internal.Blocking;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * An exclusive lock of the cluster, first come, first served, taken on behalf of a session.
 *
 * <p>Every acquisition is an owner of its own: two threads that use the same object exclude each
 * other like two processes do, and a hold may be passed between threads freely. The lock is not
 * reentrant.
 *
 * <p>A lock name is 1 to 512 bytes without control characters, in parts separated by single
 * slashes.
 *
 * <p>A session waits for at most 256 locks at once. An acquisition beyond that gets the lock if it
 * is free, and else, unless it was not to wait, fails with {@link
 * CoordinatorException.Reason#LIMIT_REACHED}; make another session to wait for more.
 *
 * <p>Immutable and thread-safe.
 */
public final class DistributedLock {

  private final Session session;
  private final String name;
  private final String metadata;

  DistributedLock(Session session, String name, String metadata) {
    this.session = session;
    this.name = Objects.requireNonNull(name, "name");
    this.metadata = Objects.requireNonNull(metadata, "metadata");
  }

  /** The name of the lock. */
  public String name() {
    return name;
  }

  /** The same lock; its holds show this text to others. At most 1 024 bytes. */
  public DistributedLock withMetadata(String text) {
    return new DistributedLock(session, name, text);
  }

  /**
   * Takes the lock, waiting in the queue for as long as it takes. An interrupt leaves the queue.
   *
   * @throws LeaseExpiredException if the session ends first
   */
  public HeldLock acquire() throws InterruptedException {
    return await(begin(null))
        .orElseThrow(() -> new IllegalStateException("a wait without limit timed out"));
  }

  /**
   * Takes the lock if it becomes free within {@code wait}; empty if it does not. A wait of more
   * than 100 years is one without limit. An interrupt leaves the queue.
   *
   * @throws LeaseExpiredException if the session ends first
   * @throws UnavailableException if the cluster cannot be reached
   */
  public Optional<HeldLock> acquire(Duration wait) throws InterruptedException {
    return await(begin(Waits.checked(wait)));
  }

  /** Takes the lock if it is free; empty if it is not. */
  public Optional<HeldLock> tryAcquire() throws InterruptedException {
    return await(begin(Duration.ZERO));
  }

  /**
   * As {@link #acquire()}. Cancelling the future, or completing it in another way, such as with a
   * timeout, leaves the queue.
   */
  public CompletableFuture<HeldLock> acquireAsync() {
    Acquisition acquisition = begin(null);
    CompletableFuture<HeldLock> held = new CompletableFuture<>();
    acquisition.whenCompleteAsync(
        (result, failure) -> {
          if (failure != null) {
            held.completeExceptionally(ClientCore.unwrap(failure));
          } else if (result.isEmpty()) {
            held.completeExceptionally(new IllegalStateException("a wait without limit timed out"));
          } else if (!held.complete(result.get())) {
            result.get().release();
          }
        },
        session.core().callbacks());
    // Does nothing to an acquisition that has ended by itself.
    held.whenComplete((result, failure) -> acquisition.cancel(true));
    return held;
  }

  /** As {@link #acquire(Duration)}; ends early like {@link #acquireAsync()}. */
  public CompletableFuture<Optional<HeldLock>> acquireAsync(Duration wait) {
    return session.core().handOver(begin(Waits.checked(wait)), DistributedLock::giveBack);
  }

  /** As {@link #tryAcquire()}. */
  public CompletableFuture<Optional<HeldLock>> tryAcquireAsync() {
    return acquireAsync(Duration.ZERO);
  }

  /**
   * Runs a task while holding the lock, waiting for it as long as it takes.
   *
   * @return what the task returns
   */
  public <T, E extends Exception> T withLock(LockedTask<T, E> task) throws E, InterruptedException {
    try (HeldLock held = acquire()) {
      return task.run(held);
    }
  }

  /** What to do while holding a lock. */
  @FunctionalInterface
  public interface LockedTask<T, E extends Exception> {

    /** Runs with the lock held; the hold tells the fencing token and whether it still stands. */
    T run(HeldLock held) throws E;
  }

  private Acquisition begin(Duration wait) {
    Acquisition acquisition = new Acquisition(session, name, metadata, wait);
    acquisition.start();
    return acquisition;
  }

  private static Optional<HeldLock> await(Acquisition acquisition) throws InterruptedException {
    if (Thread.interrupted()) {
      if (!acquisition.cancel(true)) {
        acquisition.thenAccept(DistributedLock::giveBack);
      }
      throw new InterruptedException();
    }
    return Blocking.await(acquisition, DistributedLock::giveBack);
  }

  private static void giveBack(Optional<HeldLock> result) {
    result.ifPresent(HeldLock::release);
  }

  @Override
  public String toString() {
    return "DistributedLock[" + name + "]";
  }
}

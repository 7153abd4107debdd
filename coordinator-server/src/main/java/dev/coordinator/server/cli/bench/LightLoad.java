// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.bench;

import dev.coordinator.client.CoordinatorClient;
import dev.coordinator.client.HeldLock;
import dev.coordinator.client.Session;
import dev.coordinator.server.cli.CliException;
import dev.coordinator.server.cli.ExitCode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Some SDK sessions that take and release locks of their own, with a pause after each. */
final class LightLoad implements AutoCloseable {

  private static final Duration TTL = Duration.ofSeconds(30);
  private static final long PAUSE_MS = 5;

  /** For all sessions; one whose members are gone does not end by itself. */
  private static final long END_LIMIT_MS = 5_000;

  /** A grant with the moment when it was asked for. */
  private record Grant(long askedNanos, long grantedNanos) {}

  private final CoordinatorClient client;
  private final TokenWitness witness = new TokenWitness();
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private final ReentrantLock guard = new ReentrantLock();
  private final Condition granted = guard.newCondition();

  /** The first grant that was asked for after {@code soughtNanos}; null until there is one. */
  private Grant first;

  private long soughtNanos;
  private volatile boolean closed;

  LightLoad(List<String> endpoints, int sessions) {
    client = CoordinatorClient.builder().endpoints(endpoints).owner("bench").build();
    String prefix = "bench/" + UUID.randomUUID() + "/";
    for (int i = 0; i < sessions; i++) {
      String name = prefix + i;
      Thread thread = new Thread(() -> work(name), "load-" + i);
      thread.setDaemon(true);
      threads.add(thread);
      thread.start();
    }
  }

  private void work(String name) {
    try (Session session = client.newSession(TTL)) {
      while (!closed) {
        long askedNanos = System.nanoTime();
        try (HeldLock held = session.lock(name).acquire()) {
          witness.granted(name, held.token());
          publish(new Grant(askedNanos, System.nanoTime()));
        }
        TimeUnit.MILLISECONDS.sleep(PAUSE_MS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      failure.compareAndSet(null, e);
    }
  }

  private void publish(Grant grant) {
    guard.lock();
    try {
      if (first == null && grant.askedNanos() - soughtNanos > 0) {
        first = grant;
        granted.signalAll();
      }
    } finally {
      guard.unlock();
    }
  }

  /** Waits for the first grant of a lock that was asked for after this moment; returns its time. */
  long awaitGrantAskedAfter(long nanos, Duration limit) throws InterruptedException {
    long left = limit.toNanos();
    guard.lock();
    try {
      soughtNanos = nanos;
      first = null;
      while (first == null) {
        requireNoFailure();
        if (left <= 0) {
          throw new CliException(
              ExitCode.FAILED, "no lock was granted within " + limit.toSeconds() + " s");
        }
        left = granted.awaitNanos(left);
      }
      return first.grantedNanos();
    } finally {
      guard.unlock();
    }
  }

  /** A session must not notice more of a failure than a pause. */
  void requireNoFailure() {
    Throwable cause = failure.get();
    if (cause instanceof CliException explained) {
      throw explained;
    }
    if (cause != null) {
      throw new CliException(ExitCode.FAILED, "a session of the load failed: " + cause);
    }
  }

  @Override
  public void close() {
    closed = true;
    long endNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(END_LIMIT_MS);
    try {
      for (Thread thread : threads) {
        TimeUnit.NANOSECONDS.timedJoin(thread, endNanos - System.nanoTime());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    client.close();
    requireNoFailure();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import dev.coordinator.client.HeldLock;
import dev.coordinator.client.Session;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A thread that takes locks and gives them back, keeps every tenth one, and remembers what the
 * cluster acknowledged. The first answer that cannot be true ends it.
 */
final class LockingWorker {

  private final Session session;
  private final String name;
  private final Thread thread;
  private final Map<String, Long> kept = new TreeMap<>();
  private volatile long operations;
  private volatile boolean stopping;
  private volatile Throwable failure;

  LockingWorker(Session session, String name) {
    this.session = session;
    this.name = name;
    this.thread = new Thread(this::run, name);
  }

  void start() {
    thread.start();
  }

  private void run() {
    try {
      long lastToken = 0;
      for (long i = 1; !stopping; i++) {
        boolean keep = i % 10 == 0;
        HeldLock held = session.lock(keep ? name + "/" + i : name).acquire();
        if (held.token() <= lastToken) {
          throw new AssertionError("token " + held.token() + " was given after " + lastToken);
        }
        lastToken = held.token();
        if (keep) {
          kept.put(held.name(), held.token());
        } else {
          held.close();
        }
        operations = i;
      }
    } catch (Throwable e) {
      failure = e;
    }
  }

  /** Waits until it has done so many more operations. */
  void awaitMore(long more, Duration limit) throws InterruptedException {
    long wanted = operations + more;
    long endNanos = System.nanoTime() + limit.toNanos();
    while (operations < wanted) {
      requireNoFailure();
      if (System.nanoTime() - endNanos > 0) {
        throw new AssertionError(name + " got no further than operation " + operations);
      }
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }

  void stop() throws InterruptedException, TimeoutException {
    stopping = true;
    thread.join(TimeUnit.MINUTES.toMillis(2));
    requireNoFailure();
    if (thread.isAlive()) {
      throw new TimeoutException(name + " does not come to an end");
    }
  }

  /**
   * The locks it was told it holds and did not give back, with their tokens. Valid once stopped.
   */
  Map<String, Long> kept() {
    return kept;
  }

  private void requireNoFailure() {
    if (failure != null) {
      throw new AssertionError(name + " failed after " + operations + " operations", failure);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.ports.TimeSource;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread of one node loop: runs rounds, and sleeps until the next one is due or an input comes.
 *
 * <p>If a round fails, the member stops for good: its state may no longer be what the others hold.
 */
public final class NodeThread implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(NodeThread.class);

  private final NodeLoop loop;
  private final TimeSource time;
  private final Consumer<Throwable> onFatal;
  private final Thread thread;
  private volatile boolean stopping;

  /**
   * @param onFatal called on this thread after the member stopped because of a failure
   */
  public NodeThread(String name, NodeLoop loop, TimeSource time, Consumer<Throwable> onFatal) {
    this.loop = loop;
    this.time = time;
    this.onFatal = onFatal;
    this.thread = new Thread(this::run, name);
    loop.mailbox().onInput(() -> LockSupport.unpark(thread));
  }

  public void start() {
    thread.start();
  }

  /** Ends everything that waits, and the thread. Waits for it unless called by it. */
  @Override
  public void close() {
    stopping = true;
    LockSupport.unpark(thread);
    if (Thread.currentThread() == thread) {
      return;
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try {
      while (!stopping) {
        long nextNanos = loop.runOnce(time.nanoTime());
        sleepUntil(nextNanos);
      }
      loop.stop("the member stops");
    } catch (Throwable failure) {
      stopAfter(failure);
      log.error("the member cannot go on and has stopped", failure);
      onFatal.accept(failure);
    }
  }

  private void sleepUntil(long nextNanos) {
    // An input that comes after this look unparks, and a park after an unpark returns at once.
    if (loop.mailbox().isEmpty() && !stopping) {
      long sleepNanos = nextNanos == Long.MAX_VALUE ? nextNanos : nextNanos - time.nanoTime();
      if (sleepNanos > 0) {
        LockSupport.parkNanos(this, sleepNanos);
      }
    }
  }

  private void stopAfter(Throwable failure) {
    try {
      loop.stop("the member stopped: " + failure.getMessage());
    } catch (RuntimeException e) {
      // The state that failed may fail again; the caller of onFatal ends the process anyway.
      log.warn("not everything that waited could be told", e);
    }
  }
}

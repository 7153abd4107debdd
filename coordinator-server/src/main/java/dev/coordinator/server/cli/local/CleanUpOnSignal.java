// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.local;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Lets a command clean up when it gets a signal: SIGTERM or Ctrl-C interrupts the thread that began
 * this, and ends the JVM only once this is closed, or after a while. To be begun before, and so
 * closed after, all that has to be gone.
 */
public final class CleanUpOnSignal implements AutoCloseable {

  private static final long LIMIT_S = 20;

  private final Thread command = Thread.currentThread();
  private final CountDownLatch cleanedUp = new CountDownLatch(1);

  private CleanUpOnSignal() {}

  /** From now on a signal interrupts the present thread. */
  public static CleanUpOnSignal begin() {
    CleanUpOnSignal cleanUp = new CleanUpOnSignal();
    Runtime.getRuntime()
        .addShutdownHook(new Thread(cleanUp::interruptAndAwait, "clean-up-on-signal"));
    return cleanUp;
  }

  private void interruptAndAwait() {
    if (cleanedUp.getCount() == 0) {
      return;
    }
    command.interrupt();
    try {
      cleanedUp.await(LIMIT_S, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    cleanedUp.countDown();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.demo;

import java.io.File;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Watches a file grow, and remembers the longest time for which it did not. */
final class GrowthMeter {

  private final File file;
  private final Thread thread;
  private volatile boolean stopped;
  private volatile long longestNanos;

  /** Begins to watch. */
  GrowthMeter(Path path) {
    file = path.toFile();
    thread = new Thread(this::watch, "growth-meter");
    thread.setDaemon(true);
    thread.start();
  }

  private void watch() {
    long length = file.length();
    long grownNanos = System.nanoTime();
    try {
      while (!stopped) {
        TimeUnit.MILLISECONDS.sleep(1);
        long now = System.nanoTime();
        if (file.length() != length) {
          length = file.length();
          longestNanos = Math.max(longestNanos, now - grownNanos);
          grownNanos = now;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends watching. Returns the longest pause in nanoseconds. */
  long stop() throws InterruptedException {
    stopped = true;
    thread.join();
    return longestNanos;
  }
}

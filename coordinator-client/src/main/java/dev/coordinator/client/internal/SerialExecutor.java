// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs tasks one after the other, in order, on an executor shared with others. A task that throws
 * is logged and does not stop those behind it. Thread-safe.
 */
public final class SerialExecutor implements Executor {

  private static final Logger log = LoggerFactory.getLogger(SerialExecutor.class);

  private final Executor shared;
  private final Queue<Runnable> tasks = new ArrayDeque<>();
  private boolean running;

  /**
   * @param shared must not reject tasks
   */
  public SerialExecutor(Executor shared) {
    this.shared = shared;
  }

  @Override
  public void execute(Runnable task) {
    synchronized (tasks) {
      tasks.add(task);
      if (running) {
        return;
      }
      running = true;
    }
    try {
      shared.execute(this::runAll);
    } catch (RuntimeException | Error e) {
      // What is left runs with the next task.
      synchronized (tasks) {
        running = false;
      }
      throw e;
    }
  }

  private void runAll() {
    for (Runnable task = next(); task != null; task = next()) {
      try {
        task.run();
      } catch (RuntimeException | Error e) {
        log.error("A callback failed", e);
      }
    }
  }

  private Runnable next() {
    synchronized (tasks) {
      Runnable task = tasks.poll();
      running = task != null;
      return task;
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where code of the application runs: on an executor while that accepts tasks, and on the calling
 * thread once it is shut down, so that no future stays open and no listener goes untold.
 * Thread-safe.
 */
public final class CallbackExecutor implements Executor {

  private static final Logger log = LoggerFactory.getLogger(CallbackExecutor.class);

  private final Executor executor;

  public CallbackExecutor(Executor executor) {
    this.executor = executor;
  }

  @Override
  public void execute(Runnable task) {
    try {
      executor.execute(task);
    } catch (RejectedExecutionException e) {
      log.debug(
          "The callback executor is shut down; running a callback on {}", Thread.currentThread());
      task.run();
    }
  }
}

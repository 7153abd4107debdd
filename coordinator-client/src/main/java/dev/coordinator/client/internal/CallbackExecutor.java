// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where code of the application runs: on an executor while that accepts tasks, and on another one
 * once it is shut down, so that no future stays open and no listener goes untold. Never on the
 * calling thread, which may be one of gRPC or hold a lock. Thread-safe.
 */
public final class CallbackExecutor implements Executor {

  private static final Logger log = LoggerFactory.getLogger(CallbackExecutor.class);

  private final Executor executor;
  private final Executor substitute;

  /**
   * @param substitute must not reject tasks
   */
  public CallbackExecutor(Executor executor, Executor substitute) {
    this.executor = executor;
    this.substitute = substitute;
  }

  @Override
  public void execute(Runnable task) {
    try {
      executor.execute(task);
    } catch (RejectedExecutionException e) {
      log.debug("The callback executor is shut down; a callback runs on a thread of the client");
      substitute.execute(task);
    }
  }
}

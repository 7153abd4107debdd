// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import java.util.concurrent.atomic.AtomicBoolean;

/** A clock that does something else, once, when it is looked at by a certain method. */
final class Trap implements TimeSource {

  private final TimeSource time;
  private final String method;
  private final Runnable action;
  private final AtomicBoolean armed = new AtomicBoolean(true);

  /**
   * @param method as Class.method, without the package
   */
  Trap(TimeSource time, String method, Runnable action) {
    this.time = time;
    this.method = method;
    this.action = action;
  }

  @Override
  public long nanoTime() {
    if (armed.get() && isCalledByMethod() && armed.compareAndSet(true, false)) {
      action.run();
    }
    return time.nanoTime();
  }

  boolean isSprung() {
    return !armed.get();
  }

  private boolean isCalledByMethod() {
    return StackWalker.getInstance()
        .walk(
            frames ->
                frames.anyMatch(
                    frame ->
                        (frame.getClassName() + "." + frame.getMethodName())
                            .endsWith("." + method)));
  }
}

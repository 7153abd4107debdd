// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** One term of leading, from the grant to its loss or resignation. Thread-safe. */
public final class Leadership {

  private final HeldLock held;

  Leadership(HeldLock held) {
    this.held = held;
  }

  /** The name of the election. */
  public String name() {
    return held.name();
  }

  /**
   * The fencing token: larger than that of every earlier leader. Hand it to what the leader writes
   * to.
   */
  public long token() {
    return held.token();
  }

  /** Whether this process leads at this moment. */
  public boolean isValid() {
    return held.isHeld();
  }

  /** How long the leadership can be relied on without another renewal; zero when it is over. */
  public Duration remaining() {
    return held.remaining();
  }

  /**
   * Checks that this process leads and can rely on it for a while.
   *
   * @throws LockLostException if it cannot
   */
  public void ensure(Duration duration) {
    held.ensure(duration);
  }

  /**
   * Completes, normally, with the reason when the leadership is lost; never if it is resigned
   * first.
   */
  public CompletableFuture<LockLostException> lost() {
    return held.lost();
  }

  HeldLock held() {
    return held;
  }

  @Override
  public String toString() {
    return "Leadership[" + name() + ", token " + Long.toUnsignedString(token()) + "]";
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import java.util.concurrent.Callable;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The gate in front of a resource that a lock protects: it lets tokens through that never fall and
 * refuses smaller ones, so that a holder which was paused past its lease can do no harm.
 *
 * <p>Keep one guard for each resource, on the resource's side. A check and the write that follows
 * it must not be split by somebody else's check, so use {@link #call} or {@link #run} for a
 * resource in this process. It remembers its highest token in memory only; a resource that outlives
 * its process stores the token with its data and hands it to {@link #FencingGuard(long)} at the
 * start.
 *
 * <p>Tokens are unsigned. Thread-safe.
 */
public final class FencingGuard {

  private final ReentrantLock lock = new ReentrantLock();
  private long highest;

  /** A guard that has seen no token. */
  public FencingGuard() {
    this(0);
  }

  /** A guard that starts from the highest token stored with the resource. */
  public FencingGuard(long highest) {
    this.highest = highest;
  }

  /** Accepts a token unless a higher one was seen; tells whether it did. */
  public boolean tryAccept(long token) {
    lock.lock();
    try {
      if (Long.compareUnsigned(token, highest) < 0) {
        return false;
      }
      highest = token;
      return true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Accepts a token.
   *
   * @throws StaleTokenException if a higher one was seen
   */
  public void accept(long token) {
    lock.lock();
    try {
      if (!tryAccept(token)) {
        throw new StaleTokenException(token, highest);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Accepts a token and runs the task before any other token can be accepted.
   *
   * @throws StaleTokenException if a higher one was seen; the task does not run then
   */
  public <T> T call(long token, Callable<T> task) throws Exception {
    lock.lock();
    try {
      accept(token);
      return task.call();
    } finally {
      lock.unlock();
    }
  }

  /** As {@link #call}, for a task without a result. */
  public void run(long token, Runnable task) {
    lock.lock();
    try {
      accept(token);
      task.run();
    } finally {
      lock.unlock();
    }
  }

  /** The highest token seen; 0 if none was. */
  public long highest() {
    lock.lock();
    try {
      return highest;
    } finally {
      lock.unlock();
    }
  }
}

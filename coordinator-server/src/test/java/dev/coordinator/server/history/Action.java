// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.history;

/** What an operation asked of a lock. */
public sealed interface Action {

  /** A queued acquisition takes effect when the lock is granted. */
  record Acquire(String lease, String owner) implements Action {
    @Override
    public String toString() {
      return "acquire for " + owner + " in lease " + lease;
    }
  }

  record Release(String lease, String owner, long token) implements Action {
    @Override
    public String toString() {
      return "release token " + token + " of " + owner + " in lease " + lease;
    }
  }

  record Read() implements Action {
    @Override
    public String toString() {
      return "read";
    }
  }

  /**
   * The end of a lease, for whatever reason, which frees the lock if the lease holds it. Nobody
   * asks for it; the history adds it for every lease that may have held the lock. It begins at the
   * first moment at which the lease may end, and returns when a client knew that it had.
   */
  record EndLease(String lease) implements Action {
    @Override
    public String toString() {
      return "end of lease " + lease;
    }
  }
}

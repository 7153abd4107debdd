// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.history;

/** What an operation was answered. */
public sealed interface Result {

  /**
   * Of an operation without an answer: it may take effect at any time after its start, or never.
   */
  record Unknown() implements Result {
    @Override
    public String toString() {
      return "unknown";
    }
  }

  /** The lock was free and is now held with this token. */
  record Granted(long token) implements Result {
    @Override
    public String toString() {
      return "granted token " + token;
    }
  }

  /** The same lease and owner held the lock before, with this token. */
  record AlreadyHeld(long token) implements Result {
    @Override
    public String toString() {
      return "already held with token " + token;
    }
  }

  /**
   * Somebody else held the lock: at once, or until the wait was over.
   *
   * @param holder null if the answer did not tell
   */
  record NotAcquired(Holder holder) implements Result {
    @Override
    public String toString() {
      return holder == null ? "not acquired" : "not acquired, held with " + holder;
    }
  }

  record Released() implements Result {
    @Override
    public String toString() {
      return "released";
    }
  }

  /**
   * The release met another holder.
   *
   * @param holder null if it met none
   */
  record NotOwner(Holder holder) implements Result {
    @Override
    public String toString() {
      return holder == null ? "not owner, free" : "not owner, held with " + holder;
    }
  }

  /**
   * @param holder null if the lock was free
   */
  record Seen(Holder holder) implements Result {
    @Override
    public String toString() {
      return holder == null ? "free" : "held with " + holder;
    }
  }

  /** Of a lease. */
  record Ended() implements Result {
    @Override
    public String toString() {
      return "ended";
    }
  }
}

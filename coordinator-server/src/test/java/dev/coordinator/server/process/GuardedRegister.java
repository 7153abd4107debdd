// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

/**
 * What a lock guards: a number that its holders read, raise by one and write back. Each use of it
 * shows the fencing token, and a token below one that was seen is refused. Thread-safe.
 */
final class GuardedRegister {

  private final boolean checksTokens;
  private long value;
  private long acknowledgedWrites;
  private long highestToken;

  /**
   * @param checksTokens false to see what happens then
   */
  GuardedRegister(boolean checksTokens) {
    this.checksTokens = checksTokens;
  }

  /** The value, or -1 if the token is stale. */
  synchronized long read(long token) {
    return accepts(token) ? value : -1;
  }

  /** Tells whether the value was written; it is not if the token is stale. */
  synchronized boolean write(long token, long newValue) {
    if (!accepts(token)) {
      return false;
    }
    value = newValue;
    acknowledgedWrites++;
    return true;
  }

  private boolean accepts(long token) {
    if (checksTokens && Long.compareUnsigned(token, highestToken) < 0) {
      return false;
    }
    highestToken = Math.max(highestToken, token);
    return true;
  }

  synchronized long acknowledgedWrites() {
    return acknowledgedWrites;
  }

  /** Acknowledged writes that another write undid: each should have raised the value by one. */
  synchronized long lostWrites() {
    return acknowledgedWrites - value;
  }
}

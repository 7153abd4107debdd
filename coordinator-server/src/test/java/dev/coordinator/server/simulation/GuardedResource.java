// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

/** What a lock guards: a counter that refuses tokens smaller than the largest it has seen. */
final class GuardedResource {

  private final String name;
  private long highestToken;
  private long value;

  GuardedResource(String name) {
    this.name = name;
  }

  /** The value, or -1 if the token is stale. */
  long read(long token) {
    return admits(token) ? value : -1;
  }

  /** Writes {@code base + 1}, where {@code base} is what this holder read; false if it is stale. */
  boolean increment(long token, long base) {
    if (!admits(token)) {
      return false;
    }
    if (base != value) {
      throw new Violation(
          "resource %s: token %d wrote over %d, having read %d", name, token, value, base);
    }
    value++;
    return true;
  }

  private boolean admits(long token) {
    if (token < highestToken) {
      return false;
    }
    highestToken = token;
    return true;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.history;

/**
 * What a client did to one lock: from the moment before it asked to the moment after it knew.
 *
 * @param client for people
 * @param returnedNanos {@link #OPEN} if and only if the result is unknown
 */
public record Operation(
    String client, Action action, Result result, long invokedNanos, long returnedNanos) {

  public static final long OPEN = Long.MAX_VALUE;

  public Operation {
    if ((returnedNanos == OPEN) != (result instanceof Result.Unknown)) {
      throw new IllegalArgumentException(action + " -> " + result + " at " + returnedNanos);
    }
  }

  public boolean isOpen() {
    return returnedNanos == OPEN;
  }

  @Override
  public String toString() {
    return client + ": " + action + " -> " + result;
  }
}

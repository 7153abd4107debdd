// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

/** A fencing token is smaller than one that the guarded resource has already seen. */
public final class StaleTokenException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final long token;
  private final long highest;

  /** Makes an exception. */
  public StaleTokenException(long token, long highest) {
    super(
        "fencing token "
            + Long.toUnsignedString(token)
            + " is stale: "
            + Long.toUnsignedString(highest)
            + " was seen before");
    this.token = token;
    this.highest = highest;
  }

  /** The token that was refused. */
  public long token() {
    return token;
  }

  /** The highest token seen. */
  public long highest() {
    return highest;
  }
}

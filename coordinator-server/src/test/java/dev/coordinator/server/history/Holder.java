// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.history;

/**
 * The holder of a lock, as an answer named it.
 *
 * @param token its fencing token, 1 or more
 * @param owner null if the answer did not tell
 */
public record Holder(long token, String owner) {

  @Override
  public String toString() {
    return owner == null ? "token " + token : "token " + token + " of " + owner;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

/**
 * Numbers a request within its lease.
 *
 * @param number 1 or more; 0 in {@link #NONE}, a plain call
 * @param acknowledgedBelow outcomes of smaller numbers may be forgotten; their late duplicates
 *     never apply
 */
public record RequestId(long number, long acknowledgedBelow) {

  public static final RequestId NONE = new RequestId(0, 0);

  public boolean isNone() {
    return number == 0;
  }
}

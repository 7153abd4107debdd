// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

/**
 * Numbers a request within its lease. Those of one owner for one lock apply in the order of their
 * numbers or not at all.
 *
 * @param number 1 or more; 0 in {@link #NONE}, a plain call
 * @param acknowledgedBelow every smaller number has been answered to the client: outcomes of those
 *     may be forgotten, their late duplicates never apply, and a wait that one of them left behind
 *     is cancelled. More than {@code number} counts as {@code number}
 */
public record RequestId(long number, long acknowledgedBelow) {

  public static final RequestId NONE = new RequestId(0, 0);

  public RequestId {
    if (number < 0) {
      throw new IllegalArgumentException("request_id.number is 0 or more, not " + number);
    }
    if (acknowledgedBelow < 0) {
      throw new IllegalArgumentException(
          "request_id.acknowledged_below is 0 or more, not " + acknowledgedBelow);
    }
  }

  public boolean isNone() {
    return number == 0;
  }
}

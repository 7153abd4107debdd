// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

/** What to do while leading. */
@FunctionalInterface
public interface LeaderTask {

  /**
   * Leads. The thread is interrupted when the leadership is lost; return soon after. Returning
   * while the leadership stands resigns it.
   */
  void lead(Leadership leadership) throws Exception;
}

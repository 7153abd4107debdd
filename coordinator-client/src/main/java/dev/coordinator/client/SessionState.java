// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

/** How certain a client can be that its lease lives. */
public enum SessionState {
  /** The lease was renewed in time. */
  CONNECTED,
  /**
   * Two thirds of the TTL have passed since the last renewal that was answered was sent. The lease
   * still lives, but may not for long: finish or save what must not be done without the lock.
   */
  JEOPARDY,
  /** The lease has ended, or can no longer be trusted to live. Final. */
  EXPIRED
}

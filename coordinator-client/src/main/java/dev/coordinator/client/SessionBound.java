// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

/** Something that ends with its session: a lock held or waited for. */
interface SessionBound {

  /**
   * The session has ended. Called at most once, on the scheduler thread while there is one, so it
   * must not block; code of the application runs on the callback executor.
   */
  void sessionEnded(SessionEvent event);
}

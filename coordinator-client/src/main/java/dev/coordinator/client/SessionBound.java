// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

/** Something that ends with its session: a lock held or waited for. */
interface SessionBound {

  /** The session has ended. Called on the callback executor, at most once. */
  void sessionEnded(SessionEvent event);
}

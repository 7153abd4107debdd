// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

/** Told of changes in a session's life, in order, on the client's callback executor. */
@FunctionalInterface
public interface SessionListener {

  /** A change; {@link SessionEvent.Kind#EXPIRED} comes exactly once, as the last one. */
  void onEvent(SessionEvent event);
}

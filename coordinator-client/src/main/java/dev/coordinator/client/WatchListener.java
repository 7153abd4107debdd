// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import java.util.List;

/**
 * Follows locks. The calls of one watch come one after the other, in order, on the client's
 * callback executor; the next step of the stream is fetched when the last call has returned.
 */
public interface WatchListener {

  /**
   * The matching locks at a revision; the events that follow are later ones. Comes first, and again
   * after {@link #onGap}.
   */
  default void onState(List<LockInfo> locks, long revision) {}

  /** The next event. None is left out and none comes twice, over any number of reconnections. */
  void onEvent(LockEvent event);

  /**
   * The client was away for so long that events are no longer kept: those before {@code
   * oldestRevision} that did not arrive are lost. A fresh {@link #onState} follows.
   */
  default void onGap(long oldestRevision) {}

  /** The cluster refuses the watch; nothing follows. */
  default void onError(CoordinatorException failure) {}
}

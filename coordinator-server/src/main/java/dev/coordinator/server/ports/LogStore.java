// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.ports;

import dev.coordinator.server.raft.WriteBatch;

/** Stable storage of the log and the hard state. */
public interface LogStore {

  /**
   * Makes a batch durable, in the order of calls, without waiting for it. {@link Inbox#persisted}
   * reports the end, {@link Inbox#failed} that it cannot be done: then nothing later is durable.
   */
  void append(WriteBatch batch);
}

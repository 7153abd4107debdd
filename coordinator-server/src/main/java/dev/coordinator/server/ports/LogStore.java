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

  /**
   * Tells that two durable snapshots hold everything up to this index, so that files with nothing
   * else in them may go. They go later, or not at all: nobody is told.
   */
  default void dropUpTo(long index) {}
}

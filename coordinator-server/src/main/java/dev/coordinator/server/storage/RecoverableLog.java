// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;
import java.io.IOException;

/** A log that was opened and is not yet written to. */
public interface RecoverableLog {

  /** What the member remembers. Asked once. */
  RecoveredLog takeRecovered() throws IOException;

  /**
   * Replaces all that was recovered: the log goes on behind a place that a durable snapshot leads
   * to. That is durable when this returns.
   */
  void beginAnew(HardState hardState, LogPosition base) throws IOException;
}

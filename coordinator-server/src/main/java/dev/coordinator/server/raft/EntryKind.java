// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/** What a log entry is for. */
public enum EntryKind {
  /** Opens a leader's term, so that entries of earlier terms commit (§3.6.2) and reads are safe. */
  NO_OP,
  /** Carries a command of the state machine. */
  COMMAND,
  /** Carries a configuration, which counts from the moment it is in the log (§4.1). */
  CONFIGURATION
}

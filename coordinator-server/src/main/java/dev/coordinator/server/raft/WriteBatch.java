// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.List;

/**
 * What must become durable together, in the order of batch numbers.
 *
 * @param number rises by one from batch to batch
 * @param hardState the new term and vote, or null if they did not change
 * @param base where the log begins anew, because a snapshot of the leader replaced all that was in
 *     it: every entry written before gives way, and the next one follows this place. Null otherwise
 * @param entries consecutive entries; the first one replaces everything at its index and after it.
 *     Empty if only the hard state changed
 */
public record WriteBatch(long number, HardState hardState, LogPosition base, List<Entry> entries) {

  public WriteBatch(long number, HardState hardState, List<Entry> entries) {
    this(number, hardState, null, entries);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;
import java.util.List;

/**
 * What a member remembers when it starts: everything it ever acknowledged, perhaps a bit more.
 *
 * @param base the place before the first entry; what was there and before is in a snapshot
 */
public record RecoveredLog(HardState hardState, LogPosition base, List<Entry> entries) {

  /** The index of the last entry, that of the base if there is none. */
  public long lastIndex() {
    return entries.isEmpty() ? base.index() : entries.get(entries.size() - 1).index();
  }
}

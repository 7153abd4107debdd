// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.HardState;
import java.util.List;

/** What a member remembers when it starts: everything it ever acknowledged, perhaps a bit more. */
public record RecoveredLog(HardState hardState, List<Entry> entries) {

  /** The index of the last entry, 0 if there is none. */
  public long lastIndex() {
    return entries.isEmpty() ? 0 : entries.get(entries.size() - 1).index();
  }
}

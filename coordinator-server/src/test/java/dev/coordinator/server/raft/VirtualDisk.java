// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.ArrayList;
import java.util.List;

/** What of one member of a {@link VirtualCluster} outlives a crash. */
final class VirtualDisk {

  HardState hardState = HardState.INITIAL;
  LogPosition base = LogPosition.START;
  final List<Entry> entries = new ArrayList<>();
  final VirtualSnapshots snapshots = new VirtualSnapshots();

  void store(WriteBatch batch) {
    if (batch.hardState() != null) {
      hardState = batch.hardState();
    }
    if (batch.base() != null) {
      base = batch.base();
      entries.clear();
    }
    if (!batch.entries().isEmpty()) {
      int place = (int) (batch.entries().get(0).index() - base.index() - 1);
      entries.subList(place, entries.size()).clear();
      entries.addAll(batch.entries());
    }
  }

  void dropUpTo(long index) {
    int dropped = (int) Math.min(index - base.index(), entries.size());
    if (dropped > 0) {
      base = entries.get(dropped - 1).position();
      entries.subList(0, dropped).clear();
    }
  }

  RestoredState restore(Membership bootstrap, long incarnation) {
    VirtualSnapshots.Stored newest = snapshots.newest();
    SnapshotMeta snapshot = newest == null ? null : newest.meta();
    return new RestoredState(
        bootstrap, hardState, snapshot, base, List.copyOf(entries), incarnation);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static dev.coordinator.server.raft.RaftInvariantViolation.invariant;

import java.util.ArrayList;
import java.util.List;

/**
 * The configurations of one log, oldest first: the one that it begins with, and that of each
 * configuration entry in it.
 *
 * <p>The latest one counts, committed or not (§4.1). It is taken back when its entry gives way to
 * that of another leader.
 */
final class Configurations {

  /** A configuration and the entry that set it, 0 for the one that a cluster began with. */
  record Configuration(long index, Membership membership) {}

  private final List<Configuration> known = new ArrayList<>();
  private long changes;

  private Configurations(Configuration first) {
    known.add(first);
  }

  /** Those of a log that is about to be restored from here on. */
  static Configurations of(RestoredState restored) {
    SnapshotMeta snapshot = restored.snapshot();
    return new Configurations(
        snapshot == null
            ? new Configuration(0, restored.bootstrap())
            : new Configuration(snapshot.membershipIndex(), snapshot.membership()));
  }

  /** The one that counts. */
  Membership present() {
    return last().membership();
  }

  /** How often the present one may have become another. */
  long changes() {
    return changes;
  }

  /** The entry that set the present one. */
  long presentIndex() {
    return last().index();
  }

  private Configuration last() {
    return known.get(known.size() - 1);
  }

  /** The one before the present one, or the present one if no other is known. */
  Configuration previous() {
    return known.get(Math.max(0, known.size() - 2));
  }

  /** The one that counted when the entry at {@code index} was the last. */
  Configuration asOf(long index) {
    int i = known.size() - 1;
    while (i > 0 && known.get(i).index() > index) {
      i--;
    }
    return known.get(i);
  }

  /** Takes note of an entry that was added to the log. */
  void appended(Entry entry) {
    // A log may still have entries from before its snapshot, whose configuration is newer.
    if (entry.kind() == EntryKind.CONFIGURATION && entry.index() > presentIndex()) {
      known.add(new Configuration(entry.index(), entry.membership()));
      changes++;
    }
  }

  /** Takes back what entries from this one on have set. */
  void truncatedFrom(long index) {
    while (known.size() > 1 && presentIndex() >= index) {
      known.remove(known.size() - 1);
      changes++;
    }
    invariant(presentIndex() < index, "a configuration at %d after %d", presentIndex(), index - 1);
  }

  /** Forgets those that only entries up to this one went by. */
  void compacted(long index) {
    int keep = known.indexOf(asOf(index));
    known.subList(0, keep).clear();
  }

  /**
   * A snapshot takes the place of all entries up to its last one, and of later ones too unless
   * {@code keepsLater}.
   */
  void installed(SnapshotMeta snapshot, boolean keepsLater) {
    Membership before = present();
    known.removeIf(one -> !keepsLater || one.index() <= snapshot.index());
    known.add(0, new Configuration(snapshot.membershipIndex(), snapshot.membership()));
    if (!present().equals(before)) {
      changes++;
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.List;

/**
 * What a member starts from.
 *
 * @param bootstrap the configuration of a cluster that begins; counts until a snapshot or an entry
 *     has another. {@link Membership#NONE} for a member that waits to be added to a running cluster
 * @param snapshot of the state that its machine begins with, or null if that is empty
 * @param base where its log begins: the place before its first entry, at the snapshot or before it
 * @param entries the whole log, consecutive from the one after {@code base}
 * @param incarnation which data directory it starts on, see {@link MemberInfo}; 0 if not known
 */
public record RestoredState(
    Membership bootstrap,
    HardState hardState,
    SnapshotMeta snapshot,
    LogPosition base,
    List<Entry> entries,
    long incarnation) {

  /** A member without a snapshot: its log begins with the first entry. */
  public static RestoredState ofLog(
      Membership bootstrap, HardState hardState, List<Entry> entries) {
    return new RestoredState(bootstrap, hardState, null, LogPosition.START, entries, 0);
  }

  /** A member that has never run. */
  public static RestoredState fresh(Membership bootstrap) {
    return ofLog(bootstrap, HardState.INITIAL, List.of());
  }

  public RestoredState withIncarnation(long newIncarnation) {
    return new RestoredState(bootstrap, hardState, snapshot, base, entries, newIncarnation);
  }
}

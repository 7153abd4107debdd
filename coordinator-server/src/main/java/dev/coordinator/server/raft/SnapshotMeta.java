// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/**
 * What the protocol must know of a snapshot, which stands for all entries up to its last one
 * (§5.1).
 *
 * @param last the last entry that is in it
 * @param clusterTimeMs the stamp of that entry
 * @param membership the configuration as of that entry
 * @param membershipIndex the entry that set this configuration, 0 if none did
 */
public record SnapshotMeta(
    LogPosition last, long clusterTimeMs, Membership membership, long membershipIndex) {

  public long index() {
    return last.index();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.machine.LeaseState;
import dev.coordinator.server.machine.LockState;
import dev.coordinator.server.machine.MachineState;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.SnapshotMeta;
import dev.coordinator.server.storage.DataDirectory;
import dev.coordinator.server.wire.SnapshotCodec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;

/**
 * Makes the data directory of a member of a new cluster that goes on from a snapshot of another
 * one. Each member gets one, from the same file, with the same membership and generation.
 *
 * <p>The new cluster's entries, and with them its fencing tokens, begin far above the snapshot, so
 * above whatever the old cluster has given since; and each generation of clusters from one snapshot
 * begins as far above the one before.
 */
public final class SnapshotRestore {

  /** A cluster that does a million commands each second takes eleven days for as many entries. */
  public static final long DEFAULT_INDEX_GAP = 1_000_000_000_000L;

  private final String clusterId;
  private final Membership membership;
  private final long indexGap;
  private final int generation;

  /**
   * @param clusterId of the new cluster
   * @param membership of the new cluster
   * @param indexGap how many entries the old cluster, and each generation, may have made since the
   *     snapshot, at most
   * @param generation 1 for the first cluster that goes on from this snapshot or a later one, one
   *     more for each further one
   */
  public SnapshotRestore(String clusterId, Membership membership, long indexGap, int generation) {
    if (indexGap < 1) {
      throw new IllegalArgumentException("the gap of indexes must be 1 or more, not " + indexGap);
    }
    if (generation < 1) {
      throw new IllegalArgumentException("the generation must be 1 or more, not " + generation);
    }
    if (membership.isEmpty() || membership.isJoint()) {
      throw new IllegalArgumentException("a new cluster has members, and no change under way");
    }
    this.clusterId = clusterId;
    this.membership = membership;
    this.indexGap = indexGap;
    this.generation = generation;
  }

  /**
   * Makes the directory of one member. It must not have anything of a member in it. If this is
   * interrupted, the directory cannot be used.
   *
   * @return the meta data of the snapshot that the member starts with
   * @throws dev.coordinator.server.storage.StorageException if the file or the directory cannot be
   *     used
   */
  public SnapshotMeta restore(Path snapshotFile, Path dataDirectory, NodeId member)
      throws IOException {
    if (!membership.contains(member)) {
      throw new IllegalArgumentException(
          "member " + member + " is not in the membership of the new cluster, " + membership);
    }
    SnapshotCodec.Snapshot old = SnapshotReader.read(snapshotFile);
    SnapshotMeta meta = metaAbove(old.meta());
    DataDirectory.fill(
        dataDirectory,
        clusterId,
        member,
        meta.last(),
        (disk, path) -> {
          try (SnapshotFiles files =
              SnapshotFiles.open(disk, new MapDbSnapshotFormat(path), SnapshotConfig.DEFAULT)) {
            files.save(meta, new Moved(old.state(), meta.index()));
          }
        });
    return meta;
  }

  private SnapshotMeta metaAbove(SnapshotMeta old) {
    if (indexGap > (Long.MAX_VALUE / 2 - old.index()) / generation) {
      throw new IllegalArgumentException(
          "the gap of indexes is too large for a snapshot of entry "
              + old.index()
              + " in generation "
              + generation);
    }
    long index = old.index() + indexGap * generation;
    return new SnapshotMeta(
        new LogPosition(index, old.last().term()), old.clusterTimeMs(), membership, index);
  }

  /** A state that stands for more entries than it was made of. */
  private record Moved(MachineState state, long appliedIndex) implements MachineState {

    @Override
    public long clusterTimeMs() {
      return state.clusterTimeMs();
    }

    @Override
    public int leaseCount() {
      return state.leaseCount();
    }

    @Override
    public int lockCount() {
      return state.lockCount();
    }

    @Override
    public Iterator<LeaseState> leases() {
      return state.leases();
    }

    @Override
    public Iterator<LockState> locks() {
      return state.locks();
    }
  }
}

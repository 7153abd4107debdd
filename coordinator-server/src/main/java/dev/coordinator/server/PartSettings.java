// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import dev.coordinator.server.api.ApiSettings;
import dev.coordinator.server.config.Address;
import dev.coordinator.server.config.ServerConfig;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftConfig;
import dev.coordinator.server.runtime.KeepAliveWindow;
import dev.coordinator.server.runtime.NodeLimits;
import dev.coordinator.server.runtime.NodeSettings;
import dev.coordinator.server.runtime.SnapshotThresholds;
import dev.coordinator.server.runtime.WatchHistory;
import dev.coordinator.server.storage.SegmentedLogConfig;
import dev.coordinator.server.storage.snapshot.SnapshotConfig;
import dev.coordinator.server.transport.PeerSettings;
import java.net.InetSocketAddress;

/**
 * Gives every part the values that it needs of the configuration, which none of them sees whole.
 */
final class PartSettings {

  /** A member that is out of touch with a leader for this many election timeouts is cut off. */
  private static final int ISOLATED_AFTER_ELECTION_TIMEOUTS = 5;

  private final ServerConfig config;
  private final NodeId self;

  PartSettings(ServerConfig config) {
    this.config = config;
    this.self = new NodeId(config.memberId());
  }

  NodeId self() {
    return self;
  }

  /** The configuration of a cluster that begins, none of a member that joins one. */
  Membership bootstrap() {
    return config.join() ? Membership.NONE : Founders.of(config).founding();
  }

  NodeSettings node() {
    return new NodeSettings(
        raft(),
        limits(),
        new KeepAliveWindow(
            config.locking().keepAliveWindow().toMillis(),
            KeepAliveWindow.DEFAULT.ttlFraction(),
            KeepAliveWindow.DEFAULT.maxLeases()),
        new WatchHistory(config.locking().watchHistoryEvents(), WatchHistory.DEFAULT.maxBytes()),
        new SnapshotThresholds(
            config.storage().snapshotAfterEntries(), config.storage().snapshotAfterBytes()),
        config.raft().electionTimeout().toMillis() * ISOLATED_AFTER_ELECTION_TIMEOUTS);
  }

  private RaftConfig raft() {
    ServerConfig.Raft raft = config.raft();
    return new RaftConfig(
        raft.electionTimeout().toMillis(),
        raft.heartbeatInterval().toMillis(),
        raft.disconnectJitter().toMillis(),
        raft.maxBatchBytes(),
        raft.maxBatchEntries(),
        raft.maxInFlightBatches(),
        raft.maxPromoteLagEntries(),
        config.storage().snapshotTailEntries(),
        config.storage().catchUpSnapshots(),
        raft.electionTimeout().toMillis());
  }

  private NodeLimits limits() {
    ServerConfig.Limits limits = config.limits();
    return new NodeLimits(
        limits.maxQueuedInputs(),
        limits.maxPendingCalls(),
        limits.maxLeases(),
        limits.maxLocks(),
        limits.maxWaitersPerLock(),
        limits.maxLocksPerLease(),
        limits.maxInitialState());
  }

  SegmentedLogConfig log() {
    return new SegmentedLogConfig(
        config.storage().segmentBytes(), SegmentedLogConfig.DEFAULT.maxFrameBytes());
  }

  SnapshotConfig snapshots() {
    return new SnapshotConfig(
        config.raft().maxSnapshotChunkBytes(),
        config.limits().maxSnapshotBytes(),
        config.limits().maxWaitingSnapshotParts());
  }

  PeerSettings peers() {
    return new PeerSettings(
        config.clusterId(),
        self,
        socketAddress(config.listen().peer()),
        config.raft().electionTimeout().toMillis(),
        config.raft().maxBatchBytes(),
        config.raft().maxSnapshotChunkBytes());
  }

  ApiSettings api(String version) {
    ServerConfig.Locking locking = config.locking();
    return new ApiSettings(
        config.clusterId(),
        self,
        locking.minTtl().toMillis(),
        locking.maxTtl().toMillis(),
        locking.maxOwnLeaseWait().toMillis(),
        config.limits().maxWatches(),
        config.limits().maxSnapshotStreams(),
        version);
  }

  static InetSocketAddress socketAddress(Address address) {
    return new InetSocketAddress(address.host(), address.port());
  }
}

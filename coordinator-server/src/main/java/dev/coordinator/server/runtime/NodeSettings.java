// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.raft.RaftConfig;

/**
 * The tunables of a member.
 *
 * @param isolatedAfterMs a member that knows no leader for this long, or learns nothing from it,
 *     ends its watches: others may move on without it
 */
public record NodeSettings(
    RaftConfig raft,
    NodeLimits limits,
    KeepAliveWindow keepAliveWindow,
    WatchHistory watchHistory,
    SnapshotThresholds snapshots,
    long isolatedAfterMs) {

  public static final NodeSettings DEFAULT =
      new NodeSettings(
          RaftConfig.DEFAULT,
          NodeLimits.DEFAULT,
          KeepAliveWindow.DEFAULT,
          WatchHistory.DEFAULT,
          SnapshotThresholds.DEFAULT,
          5_000);
}

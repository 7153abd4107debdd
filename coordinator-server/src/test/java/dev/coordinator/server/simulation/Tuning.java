// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.raft.RaftConfig;
import dev.coordinator.server.runtime.KeepAliveWindow;
import dev.coordinator.server.runtime.NodeLimits;
import dev.coordinator.server.runtime.NodeSettings;
import dev.coordinator.server.runtime.SnapshotThresholds;
import dev.coordinator.server.runtime.WatchHistory;
import dev.coordinator.server.storage.SegmentedLogConfig;
import dev.coordinator.server.storage.snapshot.SnapshotConfig;
import java.util.random.RandomGenerator;

/**
 * How the members of a run are configured and who uses them. Drawn per seed: one batch size or one
 * segment size would leave whole classes of mistakes out of reach.
 *
 * @param mailboxCapacity calls, and as many messages, that may wait for a member's loop
 */
record Tuning(
    int members,
    int clients,
    NodeSettings node,
    SegmentedLogConfig log,
    SnapshotConfig snapshots,
    int mailboxCapacity) {

  private static final WatchHistory WATCH_HISTORY = new WatchHistory(1_000, 1 << 20);

  /** Nothing special. */
  static Tuning usual(int members) {
    RaftConfig raft = new RaftConfig(500, 50, 20, 64 << 10, 4_096, 64, 100, 100, 4, 200);
    NodeSettings node =
        new NodeSettings(
            raft,
            NodeLimits.DEFAULT,
            KeepAliveWindow.DEFAULT,
            WATCH_HISTORY,
            new SnapshotThresholds(200, 1 << 20),
            2_000);
    return new Tuning(
        members,
        3,
        node,
        new SegmentedLogConfig(16 << 10, 8 << 10),
        new SnapshotConfig(4 << 10, 1 << 20, 8),
        10_000);
  }

  /**
   * @param maxDelayMs the longest way of a message; no leader could last with a shorter timeout
   */
  static Tuning draw(RandomGenerator random, long maxDelayMs) {
    long electionTimeoutMs = Math.max(pick(random, 200, 500, 500, 1_000), 3 * maxDelayMs);
    SnapshotThresholds thresholds =
        new SnapshotThresholds(
            pick(random, 5, 50, 200, 1_000_000), pick(random, 300, 1 << 20, 1 << 20));
    // Where snapshots are taken all the time, a few last for no way from one member to another.
    boolean often = thresholds.entries() < 200 || thresholds.bytes() < 1 << 20;
    RaftConfig raft =
        new RaftConfig(
            electionTimeoutMs,
            electionTimeoutMs / pick(random, 4, 10, 20),
            pick(random, 0, 20),
            pick(random, 100, 1_000, 64 << 10),
            pick(random, 1, 2, 32, 4_096),
            pick(random, 1, 4, 64),
            pick(random, 0, 10, 1_000),
            pick(random, 0, 3, 50),
            often ? 1_000 : pick(random, 4, 1_000),
            pick(random, 50, 500));
    KeepAliveWindow keepAlives =
        new KeepAliveWindow(
            pick(random, 10, 100, 500), pick(random, 4, 20), pick(random, 1, 3, 10_000));
    NodeLimits limits = NodeLimits.DEFAULT;
    boolean narrow = random.nextInt(10) == 0;
    if (narrow) {
      limits = new NodeLimits(8, 3, 1_000, 1_000, 2, 10, 10);
    }
    NodeSettings node =
        new NodeSettings(
            raft, limits, keepAlives, WATCH_HISTORY, thresholds, 4 * electionTimeoutMs);
    SegmentedLogConfig log =
        new SegmentedLogConfig(
            pick(random, 1 << 10, 4 << 10, 16 << 10, 64 << 10),
            pick(random, 1, 1_000, 8 << 10, 64 << 10));
    SnapshotConfig snapshots = new SnapshotConfig(pick(random, 50, 300, 4_096), 1 << 20, 8);
    return new Tuning(
        pick(random, 3, 3, 5, 7),
        pick(random, 2, 4, 4, 8),
        node,
        log,
        snapshots,
        narrow ? 8 : 10_000);
  }

  private static int pick(RandomGenerator random, int... choices) {
    return choices[random.nextInt(choices.length)];
  }

  @Override
  public String toString() {
    return String.format(
        "%d members, %d clients, %s, %s, %s, %s, %s",
        members, clients, node.raft(), node.keepAliveWindow(), node.snapshots(), log, snapshots);
  }
}

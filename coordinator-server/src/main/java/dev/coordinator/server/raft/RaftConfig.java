// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/**
 * The tunables of the protocol.
 *
 * @param electionTimeoutMs a follower that hears no leader for this long, and up to twice as long,
 *     drawn anew each time, starts an election (§3.4)
 * @param heartbeatIntervalMs how often a leader is heard when there is nothing to replicate
 * @param disconnectJitterMs the largest random delay before a broken connection to the leader leads
 *     to a pre-vote
 * @param maxBatchBytes most payload bytes in one AppendEntries; a larger entry travels alone
 * @param maxBatchEntries most entries in one AppendEntries
 * @param maxInFlightBatches most AppendEntries with entries sent to a follower and not yet answered
 * @param maxPromoteLagEntries how many entries a learner may be behind and still become a voter
 * @param snapshotTailEntries how many entries before the end of a snapshot stay in the log, so that
 *     a follower that is a little behind needs no snapshot (§5.1)
 * @param catchUpSnapshots how many newer snapshots a leader takes before it drops entries that a
 *     follower needs which is sent an older one
 * @param chunkResendMs after this time without an answer, a part of a snapshot is sent again
 */
public record RaftConfig(
    long electionTimeoutMs,
    long heartbeatIntervalMs,
    long disconnectJitterMs,
    int maxBatchBytes,
    int maxBatchEntries,
    int maxInFlightBatches,
    int maxPromoteLagEntries,
    int snapshotTailEntries,
    int catchUpSnapshots,
    long chunkResendMs) {

  /** With the usual values for learners and snapshots. */
  public RaftConfig(
      long electionTimeoutMs,
      long heartbeatIntervalMs,
      long disconnectJitterMs,
      int maxBatchBytes,
      int maxBatchEntries,
      int maxInFlightBatches) {
    this(
        electionTimeoutMs,
        heartbeatIntervalMs,
        disconnectJitterMs,
        maxBatchBytes,
        maxBatchEntries,
        maxInFlightBatches,
        1_000,
        20_000,
        4,
        1_000);
  }

  public RaftConfig {
    require(heartbeatIntervalMs >= 1, "heartbeatIntervalMs must be at least 1");
    require(
        electionTimeoutMs > heartbeatIntervalMs,
        "electionTimeoutMs must be longer than heartbeatIntervalMs");
    require(disconnectJitterMs >= 0, "disconnectJitterMs must not be negative");
    require(maxBatchBytes >= 1, "maxBatchBytes must be at least 1");
    require(maxBatchEntries >= 1, "maxBatchEntries must be at least 1");
    require(maxInFlightBatches >= 1, "maxInFlightBatches must be at least 1");
    require(snapshotTailEntries >= 0, "snapshotTailEntries must not be negative");
    require(catchUpSnapshots >= 0, "catchUpSnapshots must not be negative");
    require(chunkResendMs >= 1, "chunkResendMs must be at least 1");
    require(maxPromoteLagEntries >= 0, "maxPromoteLagEntries must not be negative");
  }

  public RaftConfig withMaxPromoteLag(int entries) {
    return new RaftConfig(
        electionTimeoutMs,
        heartbeatIntervalMs,
        disconnectJitterMs,
        maxBatchBytes,
        maxBatchEntries,
        maxInFlightBatches,
        entries,
        snapshotTailEntries,
        catchUpSnapshots,
        chunkResendMs);
  }

  private static void require(boolean condition, String rule) {
    if (!condition) {
      throw new IllegalArgumentException(rule);
    }
  }

  public static final RaftConfig DEFAULT = new RaftConfig(1_000, 100, 20, 1 << 20, 4_096, 64);
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import dev.coordinator.server.raft.NodeId;

/**
 * What the services have to know of the configuration.
 *
 * @param maxOwnLeaseWaitMs longest wait of an acquisition that makes its own lease
 * @param maxWatches most watch streams at a time
 * @param maxSnapshotStreams most calls at a time that fetch a snapshot
 * @param version of the software
 */
public record ApiSettings(
    String clusterId,
    NodeId self,
    long minTtlMs,
    long maxTtlMs,
    long maxOwnLeaseWaitMs,
    int maxWatches,
    int maxSnapshotStreams,
    String version) {}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.ports.LogStore;
import dev.coordinator.server.ports.PeerSender;
import dev.coordinator.server.ports.SnapshotStore;
import dev.coordinator.server.ports.TimeSource;
import dev.coordinator.server.raft.RaftTrace;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;

/**
 * The outside world of one node loop.
 *
 * @param mailbox where storage, transport and callers put what the loop must know
 * @param time measures how long things take; the time of the protocol is what {@link
 *     NodeLoop#runOnce} is told
 * @param random draws election timeouts and jitter
 * @param replies completes the futures of callers
 * @param watches wakes watchers
 * @param trace sees the protocol as well, besides logs and metrics
 */
public record NodePorts(
    Mailbox mailbox,
    LogStore log,
    SnapshotStore snapshots,
    PeerSender peers,
    TimeSource time,
    RandomGenerator random,
    Executor replies,
    Executor watches,
    RaftTrace trace) {}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.raft.RaftStatus;

/** How a member is doing. */
public record NodeStatus(RaftStatus raft, long nowMs, int leases, int locks, int waiters) {}

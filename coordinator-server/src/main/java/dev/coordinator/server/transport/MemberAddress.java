// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import dev.coordinator.server.raft.NodeId;

/** Where clients and other members reach a member, both as {@code host:port}. */
public record MemberAddress(NodeId id, String client, String peer) {}

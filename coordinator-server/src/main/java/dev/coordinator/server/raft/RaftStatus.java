// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.List;

/**
 * A view of the core at one moment. {@code applied <= committed <= last} and {@code durable <=
 * last}.
 *
 * @param leader {@link NodeId#NONE} if none is known
 * @param followers what a leader knows of the others, by id; empty on other members
 */
public record RaftStatus(
    RoleKind role,
    long term,
    NodeId leader,
    long last,
    long durable,
    long committed,
    long applied,
    List<FollowerStatus> followers) {

  /**
   * @param match the last index known to be durable there
   * @param lastHeardMs when it was last heard of, on the clock of the inputs
   */
  public record FollowerStatus(NodeId member, long match, long lastHeardMs) {}
}

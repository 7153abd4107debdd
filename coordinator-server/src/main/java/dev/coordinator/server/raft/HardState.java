// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/**
 * What a member must remember over a crash besides its log (§3.4): the latest term it has seen and
 * the candidate it voted for in that term, {@link NodeId#NONE} if it has not voted.
 */
public record HardState(long term, NodeId votedFor) {

  public static final HardState INITIAL = new HardState(0, NodeId.NONE);
}

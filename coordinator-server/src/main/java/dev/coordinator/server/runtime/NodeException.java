// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.raft.NodeId;

/** Why a member could not carry out a call. */
public final class NodeException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** What the caller may conclude. */
  public enum Reason {
    /** Not proposed: no leader is known. Always safe to retry. */
    NO_LEADER,
    /** Not proposed: another member leads. Always safe to retry there. */
    NOT_LEADER,
    /** May or may not take effect. */
    OUTCOME_UNKNOWN,
    /** Not proposed: too much is waiting. */
    OVERLOADED,
    /** Not proposed: a limit of the configuration is reached. */
    LIMIT_REACHED
  }

  private final Reason reason;
  private final NodeId leader;
  private final String limit;
  private final long maximum;

  private NodeException(Reason reason, NodeId leader, String limit, long maximum, String message) {
    super(message, null, false, false);
    this.reason = reason;
    this.leader = leader;
    this.limit = limit;
    this.maximum = maximum;
  }

  static NodeException notLeader(NodeId leader) {
    return leader.isNone()
        ? new NodeException(Reason.NO_LEADER, leader, "", 0, "no leader is known")
        : new NodeException(Reason.NOT_LEADER, leader, "", 0, "member " + leader + " leads");
  }

  static NodeException outcomeUnknown(NodeId leader, String why) {
    return new NodeException(Reason.OUTCOME_UNKNOWN, leader, "", 0, why);
  }

  static NodeException overloaded(NodeId leader, String what, long maximum) {
    return new NodeException(
        Reason.OVERLOADED, leader, what, maximum, what + " has reached " + maximum);
  }

  static NodeException limitReached(NodeId leader, String limit, long maximum) {
    return new NodeException(
        Reason.LIMIT_REACHED, leader, limit, maximum, limit + " has reached " + maximum);
  }

  static NodeException initialStateRefused(NodeId member, long maximum) {
    return new NodeException(
        Reason.LIMIT_REACHED,
        member,
        NodeLimits.INITIAL_STATE,
        maximum,
        NodeLimits.INITIAL_STATE
            + " would pass "
            + maximum
            + ": use ListLocks, then watch with start_revision");
  }

  public Reason reason() {
    return reason;
  }

  /** {@link NodeId#NONE} if none is known. */
  public NodeId leader() {
    return leader;
  }

  /** The configuration key of the limit, for OVERLOADED and LIMIT_REACHED. */
  public String limit() {
    return limit;
  }

  public long maximum() {
    return maximum;
  }
}

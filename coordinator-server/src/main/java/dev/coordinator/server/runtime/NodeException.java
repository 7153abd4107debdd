// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.Refusal;

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
    LIMIT_REACHED,
    /** Not begun: something else is under way, or somebody has to catch up. Later it may be. */
    NOT_NOW,
    /** Not begun: it is so already. */
    ALREADY,
    /** Not begun: it does not fit the members of the cluster, and never will. */
    IMPOSSIBLE,
    /** Leadership did not pass on in time. */
    TRANSFER_FAILED
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

  /** Nothing can be proposed until the transfer has ended. */
  static NodeException handingOver() {
    return new NodeException(
        Reason.NO_LEADER, NodeId.NONE, "", 0, "leadership is being transferred");
  }

  /** Nothing can be proposed until all founders have recorded each other. */
  static NodeException notBegun() {
    return new NodeException(Reason.NO_LEADER, NodeId.NONE, "", 0, "the cluster is just beginning");
  }

  static NodeException refused(Refusal refusal, NodeId leader) {
    return switch (refusal.kind()) {
      case NOT_LEADER -> notLeader(leader);
      case NOT_NOW -> new NodeException(Reason.NOT_NOW, leader, "", 0, refusal.why());
      case ALREADY -> new NodeException(Reason.ALREADY, leader, "", 0, refusal.why());
      case IMPOSSIBLE -> new NodeException(Reason.IMPOSSIBLE, leader, "", 0, refusal.why());
    };
  }

  static NodeException transferFailed(NodeId leader) {
    return new NodeException(
        Reason.TRANSFER_FAILED, leader, "", 0, "the chosen member did not take over in time");
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

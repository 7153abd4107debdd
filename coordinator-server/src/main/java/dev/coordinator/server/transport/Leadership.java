// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import dev.coordinator.server.ports.LeaderDirectory;
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.wire.Failure;
import dev.coordinator.v1.ErrorReason;
import io.grpc.Status;

/** Who leads and where clients reach it: the hints that answers and failures carry. */
public final class Leadership {

  /** An election takes about this long when a leader was lost with its connection. */
  private static final long RETRY_AFTER_MS = 100;

  private final LeaderDirectory directory;

  public Leadership(LeaderDirectory directory) {
    this.directory = directory;
  }

  boolean isLeader() {
    return directory.isLeader();
  }

  NodeId leader() {
    return directory.leader();
  }

  Membership membership() {
    return directory.membership();
  }

  /** The client address of a member; empty if it is not known, as that of {@link NodeId#NONE}. */
  public String clientAddress(NodeId member) {
    MemberInfo info = directory.membership().member(member);
    return info == null ? "" : info.clientAddress();
  }

  /** Nothing was proposed, for no leader is known. */
  public Failure noLeader() {
    return Failure.of(
            Status.Code.UNAVAILABLE, ErrorReason.ERROR_REASON_NO_LEADER, "no leader is known")
        .retryAfterMs(RETRY_AFTER_MS);
  }

  /** Nothing was proposed: {@code leader} has to be asked. */
  public Failure notLeader(NodeId leader) {
    return Failure.of(
            Status.Code.UNAVAILABLE,
            ErrorReason.ERROR_REASON_NOT_LEADER,
            "member " + leader + " leads; the call was not passed on")
        .with("leader", clientAddress(leader))
        .with("leader_id", leader)
        .retryAfterMs(RETRY_AFTER_MS);
  }

  /** The call may or may not take effect. */
  public Failure outcomeUnknown(String why) {
    return Failure.of(Status.Code.UNAVAILABLE, ErrorReason.ERROR_REASON_OUTCOME_UNKNOWN, why)
        .retryAfterMs(RETRY_AFTER_MS);
  }
}

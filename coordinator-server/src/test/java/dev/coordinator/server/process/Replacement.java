// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import dev.coordinator.v1.AddMemberRequest;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.ClusterServiceGrpc.ClusterServiceBlockingStub;
import dev.coordinator.v1.ListMembersRequest;
import dev.coordinator.v1.ListMembersResponse;
import dev.coordinator.v1.Member;
import dev.coordinator.v1.PromoteMemberRequest;
import io.grpc.StatusRuntimeException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The change of a member for a new one: added as a learner, then promoted in the other's place.
 * Each step is tried again until the cluster shows that it is done.
 */
final class Replacement {

  private static final long CALL_LIMIT_S = 5;

  private final Host host;
  private final long oldId;

  /**
   * @param host of the new member
   * @param oldId of the member that it replaces
   */
  Replacement(Host host, long oldId) {
    this.host = host;
    this.oldId = oldId;
  }

  /** Tries the next step; whether all is done. */
  boolean proceed(Testbed testbed) {
    ClusterServiceBlockingStub leader =
        ClusterServiceGrpc.newBlockingStub(testbed.leader().channel())
            .withDeadlineAfter(CALL_LIMIT_S, TimeUnit.SECONDS);
    try {
      ListMembersResponse members = leader.listMembers(ListMembersRequest.getDefaultInstance());
      Optional<Member> added = find(members, host.memberId());
      if (added.isEmpty()) {
        leader.addMember(
            AddMemberRequest.newBuilder()
                .setMemberId(host.memberId())
                .setClientAddress(host.clientAddress())
                .setPeerAddress(host.peerAddress())
                .build());
      } else if (added.get().getLearner()) {
        leader.promoteMember(
            PromoteMemberRequest.newBuilder()
                .setMemberId(host.memberId())
                .setReplacesMemberId(oldId)
                .build());
      } else {
        return find(members, oldId).isEmpty() && !members.getJoint();
      }
    } catch (StatusRuntimeException notYet) {
      return false;
    }
    return false;
  }

  private static Optional<Member> find(ListMembersResponse members, long id) {
    return members.getMembersList().stream().filter(m -> m.getMemberId() == id).findAny();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import dev.coordinator.server.ports.TimeSource;
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.RaftStatus;
import dev.coordinator.server.raft.RoleKind;
import dev.coordinator.server.runtime.CoordinatorNode;
import dev.coordinator.server.runtime.NodeStatus;
import dev.coordinator.server.transport.Leadership;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.FollowerStatus;
import dev.coordinator.v1.GetStatusRequest;
import dev.coordinator.v1.GetStatusResponse;
import dev.coordinator.v1.ListMembersRequest;
import dev.coordinator.v1.ListMembersResponse;
import dev.coordinator.v1.Member;
import dev.coordinator.v1.Role;
import io.grpc.stub.StreamObserver;

/** Serves {@code ClusterService} from what this member knows. */
final class ClusterApi extends ClusterServiceGrpc.ClusterServiceImplBase {

  private final CoordinatorNode node;
  private final ApiSettings settings;
  private final Headers headers;
  private final Leadership leadership;
  private final TimeSource time;
  private final long startNanos;

  ClusterApi(
      CoordinatorNode node,
      ApiSettings settings,
      Headers headers,
      Leadership leadership,
      TimeSource time) {
    this.node = node;
    this.settings = settings;
    this.headers = headers;
    this.leadership = leadership;
    this.time = time;
    this.startNanos = time.nanoTime();
  }

  @Override
  public void getStatus(GetStatusRequest request, StreamObserver<GetStatusResponse> observer) {
    NodeStatus status = node.status();
    RaftStatus raft = status.raft();
    var response =
        GetStatusResponse.newBuilder()
            .setHeader(headers.of(raft))
            .setRole(role(raft.role()))
            .setLeaderAddress(leadership.clientAddress(raft.leader()))
            .setLastIndex(raft.last())
            .setDurableIndex(raft.durable())
            .setCommitIndex(raft.committed())
            .setAppliedIndex(raft.applied())
            .setLeases(status.leases())
            .setLocks(status.locks())
            .setWaiters(status.waiters())
            .setVersion(settings.version())
            .setUptime(Views.duration((time.nanoTime() - startNanos) / 1_000_000));
    for (RaftStatus.FollowerStatus follower : raft.followers()) {
      response.addFollowers(
          FollowerStatus.newBuilder()
              .setMemberId(follower.member().value())
              .setMatchIndex(follower.match())
              .setLag(Math.max(0, raft.last() - follower.match()))
              .setSilence(Views.duration(Math.max(0, status.nowMs() - follower.lastHeardMs()))));
    }
    observer.onNext(response.build());
    observer.onCompleted();
  }

  private static Role role(RoleKind role) {
    return switch (role) {
      case FOLLOWER -> Role.ROLE_FOLLOWER;
      case PRE_CANDIDATE -> Role.ROLE_PRE_CANDIDATE;
      case CANDIDATE -> Role.ROLE_CANDIDATE;
      case LEADER -> Role.ROLE_LEADER;
    };
  }

  @Override
  public void listMembers(
      ListMembersRequest request, StreamObserver<ListMembersResponse> observer) {
    var response = ListMembersResponse.newBuilder().setHeader(headers.of(node.status().raft()));
    Membership membership = node.membership();
    response.setJoint(membership.isJoint());
    for (MemberInfo member : membership.members()) {
      response.addMembers(
          Member.newBuilder()
              .setMemberId(member.id().value())
              .setClientAddress(member.clientAddress())
              .setPeerAddress(member.peerAddress())
              .setLearner(!membership.isVoter(member.id())));
    }
    observer.onNext(response.build());
    observer.onCompleted();
  }
}

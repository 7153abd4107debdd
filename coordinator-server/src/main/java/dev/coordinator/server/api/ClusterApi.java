// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import dev.coordinator.server.ports.TimeSource;
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.MembershipChange;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftStatus;
import dev.coordinator.server.raft.RoleKind;
import dev.coordinator.server.runtime.CoordinatorNode;
import dev.coordinator.server.runtime.NodeStatus;
import dev.coordinator.server.storage.snapshot.FileSnapshotStore;
import dev.coordinator.server.storage.snapshot.SnapshotExport;
import dev.coordinator.server.transport.Leadership;
import dev.coordinator.v1.AddMemberRequest;
import dev.coordinator.v1.AddMemberResponse;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.FollowerStatus;
import dev.coordinator.v1.GetStatusRequest;
import dev.coordinator.v1.GetStatusResponse;
import dev.coordinator.v1.ListMembersRequest;
import dev.coordinator.v1.ListMembersResponse;
import dev.coordinator.v1.Member;
import dev.coordinator.v1.PromoteMemberRequest;
import dev.coordinator.v1.PromoteMemberResponse;
import dev.coordinator.v1.RemoveMemberRequest;
import dev.coordinator.v1.RemoveMemberResponse;
import dev.coordinator.v1.Role;
import dev.coordinator.v1.SnapshotRequest;
import dev.coordinator.v1.SnapshotResponse;
import dev.coordinator.v1.TransferLeadershipRequest;
import dev.coordinator.v1.TransferLeadershipResponse;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Serves {@code ClusterService}: changes at the leader, everything else from what the member asked
 * knows.
 */
final class ClusterApi extends ClusterServiceGrpc.ClusterServiceImplBase {

  private static final int EXPORT_ATTEMPTS = 2;

  private final CoordinatorNode node;
  private final ApiSettings settings;
  private final Headers headers;
  private final Leadership leadership;
  private final TimeSource time;
  private final FileSnapshotStore snapshots;
  private final Executor snapshotReader;
  private final Answers answers;
  private final Statuses statuses;
  private final long startNanos;
  private final AtomicInteger snapshotStreams = new AtomicInteger();

  ClusterApi(
      CoordinatorNode node,
      ApiSettings settings,
      Headers headers,
      Statuses statuses,
      Leadership leadership,
      FileSnapshotStore snapshots,
      Executor snapshotReader,
      TimeSource time) {
    this.node = node;
    this.settings = settings;
    this.headers = headers;
    this.leadership = leadership;
    this.statuses = statuses;
    this.snapshots = snapshots;
    this.snapshotReader = snapshotReader;
    this.time = time;
    this.answers = new Answers(statuses);
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
            .setSnapshotIndex(raft.snapshot())
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

  @Override
  public void addMember(AddMemberRequest request, StreamObserver<AddMemberResponse> observer) {
    var member =
        new MemberInfo(
            Validation.memberId("member_id", request.getMemberId()),
            Validation.address("client_address", request.getClientAddress()),
            Validation.address("peer_address", request.getPeerAddress()),
            0);
    answers.send(
        node.changeMembership(MembershipChange.add(member)),
        observer,
        answer -> AddMemberResponse.newBuilder().setHeader(headers.of(answer)).build());
  }

  @Override
  public void promoteMember(
      PromoteMemberRequest request, StreamObserver<PromoteMemberResponse> observer) {
    NodeId learner = Validation.memberId("member_id", request.getMemberId());
    var replaced = new NodeId(request.getReplacesMemberId());
    answers.send(
        node.changeMembership(
            replaced.isNone()
                ? MembershipChange.promote(learner)
                : MembershipChange.replace(replaced, learner)),
        observer,
        answer -> PromoteMemberResponse.newBuilder().setHeader(headers.of(answer)).build());
  }

  @Override
  public void removeMember(
      RemoveMemberRequest request, StreamObserver<RemoveMemberResponse> observer) {
    NodeId member = Validation.memberId("member_id", request.getMemberId());
    answers.send(
        node.changeMembership(MembershipChange.remove(member)),
        observer,
        answer -> RemoveMemberResponse.newBuilder().setHeader(headers.of(answer)).build());
  }

  @Override
  public void transferLeadership(
      TransferLeadershipRequest request, StreamObserver<TransferLeadershipResponse> observer) {
    answers.send(
        node.transferLeadership(new NodeId(request.getMemberId())),
        observer,
        answer ->
            TransferLeadershipResponse.newBuilder()
                .setHeader(
                    headers.of(answer).toBuilder().setLeaderId(answer.value().value()).build())
                .build());
  }

  @Override
  public void snapshot(SnapshotRequest request, StreamObserver<SnapshotResponse> observer) {
    if (snapshotStreams.incrementAndGet() > settings.maxSnapshotStreams()) {
      snapshotStreams.decrementAndGet();
      throw statuses.limitReached("limits.maxSnapshotStreams", settings.maxSnapshotStreams());
    }
    var stream =
        new SnapshotStream(
            (ServerCallStreamObserver<SnapshotResponse>) observer,
            snapshotReader,
            snapshotStreams::decrementAndGet);
    takeAndSend(stream, EXPORT_ATTEMPTS);
  }

  /**
   * In the place of a snapshot that turns out to be damaged when it is to be sent, goes another.
   */
  private void takeAndSend(SnapshotStream stream, int attempts) {
    node.takeSnapshot()
        .thenCompose(
            taken ->
                stream.hasEnded()
                    ? CompletableFuture.completedFuture(Optional.<SnapshotExport>empty())
                    : snapshots.export(taken.index()))
        .whenComplete(
            (export, failure) -> {
              if (failure != null) {
                stream.fail(statuses.of(failure));
              } else if (export.isPresent()) {
                stream.begin(headers.of(node.status().raft()), export.get());
              } else if (attempts > 1 && !stream.hasEnded()) {
                takeAndSend(stream, attempts - 1);
              } else {
                stream.fail(
                    Status.DATA_LOSS
                        .withDescription("the snapshots of this member are damaged; see its log")
                        .asRuntimeException());
              }
            });
  }
}

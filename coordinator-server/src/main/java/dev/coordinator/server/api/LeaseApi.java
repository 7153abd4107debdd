// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.LeaseView;
import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.runtime.Answered;
import dev.coordinator.server.runtime.CoordinatorNode;
import dev.coordinator.v1.GetLeaseRequest;
import dev.coordinator.v1.GetLeaseResponse;
import dev.coordinator.v1.GrantLeaseRequest;
import dev.coordinator.v1.GrantLeaseResponse;
import dev.coordinator.v1.KeepAliveRequest;
import dev.coordinator.v1.KeepAliveResponse;
import dev.coordinator.v1.LeaseServiceGrpc;
import dev.coordinator.v1.ListLeasesRequest;
import dev.coordinator.v1.ListLeasesResponse;
import dev.coordinator.v1.RenewLeaseRequest;
import dev.coordinator.v1.RenewLeaseResponse;
import dev.coordinator.v1.RevokeLeaseRequest;
import dev.coordinator.v1.RevokeLeaseResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** Serves {@code LeaseService}. */
final class LeaseApi extends LeaseServiceGrpc.LeaseServiceImplBase {

  private final CoordinatorNode node;
  private final ApiSettings settings;
  private final Headers headers;
  private final Statuses statuses;
  private final Answers answers;

  LeaseApi(CoordinatorNode node, ApiSettings settings, Headers headers, Statuses statuses) {
    this.node = node;
    this.settings = settings;
    this.headers = headers;
    this.statuses = statuses;
    this.answers = new Answers(statuses);
  }

  @Override
  public void grantLease(GrantLeaseRequest request, StreamObserver<GrantLeaseResponse> observer) {
    var command =
        new Command.GrantLease(
            Validation.ttlMs("ttl", request.hasTtl(), request.getTtl(), settings),
            Validation.atMostBytes("owner", request.getOwner(), Validation.MAX_LEASE_OWNER_BYTES),
            Validation.atMostBytes("nonce", request.getNonce(), Validation.MAX_NONCE_BYTES));
    answers.send(node.submit(command).future(), observer, this::granted);
  }

  private GrantLeaseResponse granted(Answered<Outcome> answer) {
    var lease = Statuses.expect(Outcome.LeaseGranted.class, answer.value());
    return GrantLeaseResponse.newBuilder()
        .setHeader(headers.of(answer))
        .setLeaseId(lease.leaseId())
        .setTtl(Views.duration(lease.ttlMs()))
        .build();
  }

  @Override
  public void revokeLease(
      RevokeLeaseRequest request, StreamObserver<RevokeLeaseResponse> observer) {
    var command = new Command.RevokeLease(Validation.leaseId(request.getLeaseId()));
    answers.send(node.submit(command).future(), observer, this::revoked);
  }

  private RevokeLeaseResponse revoked(Answered<Outcome> answer) {
    Statuses.expect(Outcome.LeaseRevoked.class, answer.value());
    return RevokeLeaseResponse.newBuilder().setHeader(headers.of(answer)).build();
  }

  @Override
  public void renewLease(RenewLeaseRequest request, StreamObserver<RenewLeaseResponse> observer) {
    long leaseId = Validation.leaseId(request.getLeaseId());
    answers.send(node.keepAlive(List.of(leaseId)), observer, this::renewed);
  }

  private RenewLeaseResponse renewed(Answered<List<Outcome.Renewal>> answer) {
    Outcome.Renewal renewal = answer.value().get(0);
    if (!renewal.alive()) {
      throw Statuses.leaseNotFound(renewal.leaseId()).toException();
    }
    return RenewLeaseResponse.newBuilder()
        .setHeader(headers.of(answer))
        .setTtl(Views.duration(renewal.ttlMs()))
        .build();
  }

  @Override
  public StreamObserver<KeepAliveRequest> keepAlive(StreamObserver<KeepAliveResponse> observer) {
    return new KeepAliveStream(
        node, headers, statuses, (ServerCallStreamObserver<KeepAliveResponse>) observer);
  }

  @Override
  public void getLease(GetLeaseRequest request, StreamObserver<GetLeaseResponse> observer) {
    long leaseId = Validation.leaseId(request.getLeaseId());
    answers.send(
        read(request.getStale(), view -> view.lease(leaseId)),
        observer,
        answer -> {
          LeaseView lease =
              answer.value().orElseThrow(() -> Statuses.leaseNotFound(leaseId).toException());
          return GetLeaseResponse.newBuilder()
              .setHeader(headers.of(answer, request.getStale()))
              .setLease(Views.lease(lease, answer.clusterTimeMs()))
              .build();
        });
  }

  @Override
  public void listLeases(ListLeasesRequest request, StreamObserver<ListLeasesResponse> observer) {
    int pageSize = Validation.pageSize(request.getPageSize());
    answers.send(
        read(request.getStale(), view -> view.leases(request.getAfterLeaseId(), pageSize + 1)),
        observer,
        answer -> {
          var page =
              Page.of(
                  answer.value(), pageSize, lease -> Views.lease(lease, answer.clusterTimeMs()));
          return ListLeasesResponse.newBuilder()
              .setHeader(headers.of(answer, request.getStale()))
              .addAllLeases(page.items())
              .setMore(page.more())
              .build();
        });
  }

  private <T> CompletableFuture<Answered<T>> read(boolean stale, Function<MachineView, T> query) {
    return stale ? node.staleRead(query) : node.read(query);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.runtime.Answered;
import dev.coordinator.server.runtime.CoordinatorNode;
import dev.coordinator.v1.KeepAliveRequest;
import dev.coordinator.v1.KeepAliveResponse;
import dev.coordinator.v1.LeaseRenewal;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;

/**
 * One KeepAlive stream. Takes a bounded number of requests before it has answered them, and no more
 * while its client does not read the answers.
 */
final class KeepAliveStream implements StreamObserver<KeepAliveRequest> {

  private static final int MAX_OUTSTANDING = 16;

  private final CoordinatorNode node;
  private final Headers headers;
  private final Statuses statuses;
  private final ServerCallStreamObserver<KeepAliveResponse> responses;

  // Guarded by this: answers come on other threads than requests.
  private int outstanding;
  private int owedRequests;
  private boolean halfClosed;
  private boolean ended;

  KeepAliveStream(
      CoordinatorNode node,
      Headers headers,
      Statuses statuses,
      ServerCallStreamObserver<KeepAliveResponse> responses) {
    this.node = node;
    this.headers = headers;
    this.statuses = statuses;
    this.responses = responses;
    responses.disableAutoRequest();
    responses.setOnReadyHandler(this::requestOwed);
    responses.setOnCancelHandler(this::cancelled);
    responses.request(MAX_OUTSTANDING);
  }

  @Override
  public void onNext(KeepAliveRequest request) {
    int count = request.getLeaseIdsCount();
    if (count == 0 || count > Validation.MAX_KEEP_ALIVE_LEASES) {
      fail(
          Validation.invalid(
              "lease_ids", "must be 1 to " + Validation.MAX_KEEP_ALIVE_LEASES + " leases"));
      return;
    }
    for (long leaseId : request.getLeaseIdsList()) {
      if (leaseId < 1) {
        fail(Validation.invalid("lease_ids", "must be ids of leases, which are 1 or more"));
        return;
      }
    }
    synchronized (this) {
      if (ended) {
        return;
      }
      outstanding++;
    }
    node.keepAlive(request.getLeaseIdsList())
        .whenComplete(
            (answer, failure) -> {
              if (failure == null) {
                answer(request.getSequence(), answer);
              } else {
                fail(failure);
              }
            });
  }

  private synchronized void answer(long sequence, Answered<List<Outcome.Renewal>> answer) {
    if (ended) {
      return;
    }
    var response =
        KeepAliveResponse.newBuilder().setHeader(headers.of(answer)).setSequence(sequence);
    for (Outcome.Renewal renewal : answer.value()) {
      var message =
          LeaseRenewal.newBuilder().setLeaseId(renewal.leaseId()).setAlive(renewal.alive());
      if (renewal.alive()) {
        message.setTtl(Views.duration(renewal.ttlMs()));
      }
      response.addRenewals(message);
    }
    responses.onNext(response.build());
    outstanding--;
    owedRequests++;
    completeIfDone();
    if (responses.isReady()) {
      requestOwed();
    }
  }

  private synchronized void requestOwed() {
    if (!ended && owedRequests > 0) {
      responses.request(owedRequests);
      owedRequests = 0;
    }
  }

  private synchronized void fail(Throwable failure) {
    if (!ended) {
      ended = true;
      responses.onError(statuses.of(failure));
    }
  }

  private synchronized void cancelled() {
    ended = true;
  }

  @Override
  public void onError(Throwable failure) {
    cancelled();
  }

  @Override
  public synchronized void onCompleted() {
    halfClosed = true;
    completeIfDone();
  }

  private void completeIfDone() {
    if (halfClosed && outstanding == 0 && !ended) {
      ended = true;
      responses.onCompleted();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.bench;

import dev.coordinator.server.cli.TimeSpan;
import dev.coordinator.v1.AcquireLockRequest;
import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.GrantLeaseRequest;
import dev.coordinator.v1.LeaseServiceGrpc;
import dev.coordinator.v1.LockServiceGrpc;
import dev.coordinator.v1.LockServiceGrpc.LockServiceStub;
import dev.coordinator.v1.ReleaseLockRequest;
import dev.coordinator.v1.ReleaseLockResponse;
import dev.coordinator.v1.RequestId;
import dev.coordinator.v1.RevokeLeaseRequest;
import io.grpc.Channel;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * A lease that takes and releases one lock over and over, one call at a time, without a thread of
 * its own: each answer sends the next call.
 *
 * <p>It numbers its requests as the SDK does, so that the cluster does the same work for it.
 */
final class LoadSession {

  /** Longer than any run, so that keep-alives do not disturb the measurement. */
  private static final Duration TTL = Duration.ofHours(1);

  /** Told on the channel's thread; must not block. */
  interface Listener {
    /** The lock was granted. */
    void granted(LoadSession session, long token);

    /** The lock is about to be given back. */
    void releasing(LoadSession session);

    /** The lock was given back. Returns whether to go on. */
    boolean released(LoadSession session);

    /** A call failed or gave an unexpected answer. The session stands still. */
    void failed(Throwable failure);
  }

  private final Channel channel;
  private final LockServiceStub locks;
  private final String lock;
  private final Listener listener;
  private long leaseId;
  private long requestNumber;
  private long startedNanos;

  LoadSession(Channel channel, String lock, Listener listener) {
    this.channel = channel;
    this.locks = LockServiceGrpc.newStub(channel);
    this.lock = lock;
    this.listener = listener;
  }

  String lock() {
    return lock;
  }

  /** When the present round began. */
  long startedNanos() {
    return startedNanos;
  }

  void open() {
    leaseId =
        LeaseServiceGrpc.newBlockingStub(channel)
            .grantLease(
                GrantLeaseRequest.newBuilder()
                    .setTtl(TimeSpan.toProto(TTL))
                    .setOwner("bench")
                    .setNonce(UUID.randomUUID().toString())
                    .build())
            .getLeaseId();
  }

  void revoke() {
    LeaseServiceGrpc.newBlockingStub(channel)
        .revokeLease(RevokeLeaseRequest.newBuilder().setLeaseId(leaseId).build());
  }

  /** Begins a round. */
  void acquire() {
    startedNanos = System.nanoTime();
    AcquireLockRequest request =
        AcquireLockRequest.newBuilder()
            .setName(lock)
            .setLeaseId(leaseId)
            .setRequestId(nextRequest())
            .build();
    locks.acquireLock(request, new Answer<>(this::acquired));
  }

  private void acquired(AcquireLockResponse response) {
    if (response.getOutcome() != AcquireLockResponse.Outcome.OUTCOME_ACQUIRED) {
      listener.failed(
          new IllegalStateException("acquiring " + lock + " gave " + response.getOutcome()));
      return;
    }
    listener.granted(this, response.getToken());
    listener.releasing(this);
    ReleaseLockRequest request =
        ReleaseLockRequest.newBuilder()
            .setName(lock)
            .setLeaseId(leaseId)
            .setToken(response.getToken())
            .setRequestId(nextRequest())
            .build();
    locks.releaseLock(request, new Answer<ReleaseLockResponse>(ignored -> finishRound()));
  }

  private void finishRound() {
    if (listener.released(this)) {
      acquire();
    }
  }

  private RequestId nextRequest() {
    requestNumber++;
    return RequestId.newBuilder()
        .setNumber(requestNumber)
        .setAcknowledgedBelow(requestNumber)
        .build();
  }

  /** Hands on the one answer of a unary call. */
  private final class Answer<T> implements StreamObserver<T> {

    private final Consumer<T> next;

    Answer(Consumer<T> next) {
      this.next = next;
    }

    @Override
    public void onNext(T response) {
      try {
        next.accept(response);
      } catch (RuntimeException e) {
        listener.failed(e);
      }
    }

    @Override
    public void onError(Throwable failure) {
      listener.failed(failure);
    }

    @Override
    public void onCompleted() {}
  }
}

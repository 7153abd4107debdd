// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import dev.coordinator.client.CoordinatorException.Reason;
import dev.coordinator.client.internal.CallPolicy;
import dev.coordinator.client.internal.ProtoRecords;
import dev.coordinator.client.internal.Rpc;
import dev.coordinator.v1.AcquireLockRequest;
import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.RequestId;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/**
 * One attempt to take a lock, under an owner id of its own: empty if somebody else has it, or still
 * has it after the wait.
 *
 * <p>Cancelling it leaves the queue. If it ends without a clear answer, an {@link
 * AbandonedAcquisition} sees to it that no hold is left behind. Completed on a gRPC or scheduler
 * thread.
 */
final class Acquisition extends CompletableFuture<Optional<HeldLock>> implements SessionBound {

  private final Session session;
  private final String name;
  private final String metadata;
  private final Duration wait;
  private final String owner = UUID.randomUUID().toString();
  private final long startedAtNanos;
  private volatile CompletableFuture<AcquireLockResponse> call;

  /** The request whose answer counts. Guarded by this, like the next one. */
  private RequestId currentId;

  private boolean answered;

  /**
   * @param wait null to wait without limit
   */
  Acquisition(Session session, String name, String metadata, Duration wait) {
    this.session = session;
    this.name = name;
    this.metadata = metadata;
    this.wait = wait;
    this.startedAtNanos = session.core().time().nanoTime();
  }

  void start() {
    if (!session.bind(this)) {
      completeExceptionally(session.expiredException());
      return;
    }
    send(wait);
  }

  private void send(Duration waitLeft) {
    RequestId id = session.numbers().next(this::renumber);
    if (!supersede(id)) {
      session.numbers().answered(id);
      return;
    }
    AcquireLockRequest.Builder request =
        AcquireLockRequest.newBuilder()
            .setName(name)
            .setLeaseId(session.leaseId())
            .setOwner(owner)
            .setMetadata(metadata)
            .setRequestId(id);
    if (waitLeft != null) {
      request.setWaitTimeout(ProtoRecords.duration(waitLeft));
    }
    CompletableFuture<AcquireLockResponse> sent =
        session.core().channel().call(Rpc.ACQUIRE_LOCK, request.build(), policy(waitLeft));
    call = sent;
    sent.whenComplete((response, failure) -> answered(id, response, failure));
    if (isDone()) {
      sent.cancel(true);
    }
  }

  private synchronized boolean supersede(RequestId id) {
    if (!answered) {
      currentId = id;
    }
    return !answered;
  }

  /** Tells whether the answer to this request is the one; no request takes over after that. */
  private synchronized boolean settle(RequestId id) {
    boolean settled = id.equals(currentId) && !answered;
    answered |= settled;
    return settled;
  }

  private synchronized void unsettle() {
    answered = false;
  }

  /** The cluster lets a further request of the same owner take over its place in the queue. */
  private void renumber() {
    session
        .core()
        .execute(
            () -> {
              if (!isDone()) {
                send(waitLeft());
              }
            });
  }

  private CallPolicy policy(Duration waitLeft) {
    Duration callTimeout = session.core().callTimeout();
    if (waitLeft == null) {
      return CallPolicy.waiting(null);
    }
    return waitLeft.isZero()
        ? CallPolicy.repeatable(callTimeout)
        : CallPolicy.waiting(waitLeft.plus(callTimeout));
  }

  private void answered(RequestId id, AcquireLockResponse response, Throwable failure) {
    session.numbers().answered(id);
    if (!settle(id)) {
      // A request with a fresh number took over, and gets the answer.
      return;
    }
    if (failure != null) {
      failed(failure);
      return;
    }
    session.unbind(this);
    switch (response.getOutcome()) {
      case OUTCOME_ACQUIRED, OUTCOME_ALREADY_HELD -> granted(response.getToken());
      default -> complete(Optional.empty());
    }
  }

  private void granted(long token) {
    HeldLock held = new HeldLock(session, name, owner, token);
    if (!held.bind()) {
      completeExceptionally(session.expiredException());
    } else if (!complete(Optional.of(held))) {
      held.release();
    }
  }

  private void failed(Throwable failure) {
    boolean repeatedElsewhere =
        failure instanceof CoordinatorException refused
            && refused.reason() == Reason.WAIT_CANCELLED;
    if (repeatedElsewhere && !isDone()) {
      // Nobody here cancelled; somebody else did, in this owner's name.
      unsettle();
      send(waitLeft());
      return;
    }
    session.unbind(this);
    if (failure instanceof LeaseExpiredException ended) {
      session.endedByCluster(ended.getMessage());
    }
    boolean unclear =
        isCancelled() || (failure instanceof UnavailableException lost && !lost.outcomeKnown());
    if (unclear) {
      new AbandonedAcquisition(session, name, owner).settle();
    }
    completeExceptionally(failure);
  }

  private Duration waitLeft() {
    if (wait == null || wait.isZero()) {
      return wait;
    }
    Duration left = wait.minusNanos(session.core().time().nanoTime() - startedAtNanos);
    return left.isNegative() ? Duration.ZERO : left;
  }

  @Override
  public boolean cancel(boolean mayInterruptIfRunning) {
    boolean cancelled = super.cancel(mayInterruptIfRunning);
    CompletableFuture<AcquireLockResponse> started = call;
    if (cancelled && started != null) {
      started.cancel(true);
    }
    return cancelled;
  }

  @Override
  public void sessionEnded(SessionEvent event) {
    completeExceptionally(session.expiredException());
    CompletableFuture<AcquireLockResponse> started = call;
    if (started != null) {
      started.cancel(true);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import dev.coordinator.client.internal.CallPolicy;
import dev.coordinator.client.internal.Rpc;
import dev.coordinator.v1.ReleaseLockRequest;
import dev.coordinator.v1.ReleaseLockResponse;
import dev.coordinator.v1.RequestId;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * A numbered request of a session that the cluster answers at once. It is sent when the session has
 * a number for it; its budget counts from then.
 *
 * <p>Cancelling it gives it up, sent or not. Completed on a gRPC or scheduler thread, or on that of
 * the caller.
 */
final class NumberedCall<Q, R> extends CompletableFuture<R> {

  private final Session session;
  private final Rpc<Q, R> rpc;
  private final Function<RequestId, Q> request;
  private final CallPolicy policy;
  private volatile CompletableFuture<R> sent;

  private NumberedCall(
      Session session, Rpc<Q, R> rpc, Function<RequestId, Q> request, CallPolicy policy) {
    this.session = session;
    this.rpc = rpc;
    this.request = request;
    this.policy = policy;
  }

  /**
   * @param request makes the message for a number
   */
  static <Q, R> CompletableFuture<R> start(
      Session session, Rpc<Q, R> rpc, Function<RequestId, Q> request, CallPolicy policy) {
    NumberedCall<Q, R> call = new NumberedCall<>(session, rpc, request, policy);
    session.numbers().take(call::send);
    return call;
  }

  static CompletableFuture<ReleaseLockResponse> release(
      Session session, String name, String owner, long token, CallPolicy policy) {
    ReleaseLockRequest release =
        ReleaseLockRequest.newBuilder()
            .setName(name)
            .setLeaseId(session.leaseId())
            .setOwner(owner)
            .setToken(token)
            .build();
    return start(
        session, Rpc.RELEASE_LOCK, id -> release.toBuilder().setRequestId(id).build(), policy);
  }

  private void send(RequestId id) {
    if (isDone()) {
      session.numbers().answered(id);
      return;
    }
    CompletableFuture<R> call = call(id);
    sent = call;
    call.whenComplete(
        (response, failure) -> {
          session.numbers().answered(id);
          if (failure != null) {
            completeExceptionally(failure);
          } else {
            complete(response);
          }
        });
    if (isDone()) {
      call.cancel(true);
    }
  }

  /** A number that was taken must be given back, so whatever is thrown counts as an answer. */
  private CompletableFuture<R> call(RequestId id) {
    try {
      return session.core().channel().call(rpc, request.apply(id), policy);
    } catch (RuntimeException | Error e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  @Override
  public boolean cancel(boolean mayInterruptIfRunning) {
    boolean cancelled = super.cancel(mayInterruptIfRunning);
    CompletableFuture<R> call = sent;
    if (cancelled && call != null) {
      call.cancel(true);
    }
    return cancelled;
  }
}

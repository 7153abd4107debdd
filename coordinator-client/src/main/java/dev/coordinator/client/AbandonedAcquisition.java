// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import dev.coordinator.client.CoordinatorException.Reason;
import dev.coordinator.client.internal.CallPolicy;
import dev.coordinator.client.internal.Rpc;
import dev.coordinator.v1.AcquireLockRequest;
import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.AcquireLockResponse.Outcome;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Clears up after an acquisition that ended without an answer: nobody waits for it any more, yet
 * the cluster may have granted it, or may grant it later out of the queue.
 *
 * <p>It asks for the lock once more under the same owner, without waiting. That request takes over
 * the place of the abandoned one in the queue, which it leaves at once; if it meets a hold instead,
 * the hold is given back. Should the abandoned one arrive only after it, the cluster refuses it,
 * for its number is the smaller one. Ends with the session at the latest.
 */
final class AbandonedAcquisition {

  private static final long AGAIN_MS = 250;

  private final Session session;
  private final String name;
  private final String owner;

  AbandonedAcquisition(Session session, String name, String owner) {
    this.session = session;
    this.name = name;
    this.owner = owner;
  }

  void settle() {
    if (session.state() == SessionState.EXPIRED) {
      return;
    }
    AcquireLockRequest request =
        AcquireLockRequest.newBuilder()
            .setName(name)
            .setLeaseId(session.leaseId())
            .setOwner(owner)
            .setWaitTimeout(com.google.protobuf.Duration.getDefaultInstance())
            .build();
    NumberedCall.start(
            session, Rpc.ACQUIRE_LOCK, id -> request.toBuilder().setRequestId(id).build(), policy())
        .whenComplete(
            (response, failure) -> {
              if (failure != null) {
                againIfNotCarriedOut(failure);
              } else {
                answered(response);
              }
            });
  }

  private void answered(AcquireLockResponse response) {
    if (response.getOutcome() == Outcome.OUTCOME_ACQUIRED
        || response.getOutcome() == Outcome.OUTCOME_ALREADY_HELD) {
      release(response.getToken());
    }
  }

  private void release(long token) {
    NumberedCall.release(session, name, owner, token, policy())
        .whenComplete(
            (response, failure) -> {
              if (failure != null) {
                againIfNotCarriedOut(failure);
              }
            });
  }

  private void againIfNotCarriedOut(Throwable failure) {
    boolean again =
        failure instanceof UnavailableException
            || CoordinatorException.isFor(Reason.LIMIT_REACHED, failure);
    if (!again) {
      return;
    }
    try {
      session.core().scheduler().schedule(this::settle, AGAIN_MS, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The client is closed and its leases with it.
      return;
    }
  }

  private CallPolicy policy() {
    return CallPolicy.repeatable(session.core().callTimeout());
  }
}

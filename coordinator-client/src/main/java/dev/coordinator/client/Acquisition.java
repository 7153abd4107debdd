// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import dev.coordinator.client.CoordinatorException.Reason;
import dev.coordinator.client.internal.CallPolicy;
import dev.coordinator.client.internal.ProtoRecords;
import dev.coordinator.client.internal.RequestNumbers;
import dev.coordinator.client.internal.Rpc;
import dev.coordinator.v1.AcquireLockRequest;
import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.AcquireLockResponse.Outcome;
import dev.coordinator.v1.RequestId;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

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
  private final Duration budget;
  private final long startedAtNanos;
  private final Map<RequestId, CompletableFuture<AcquireLockResponse>> calls =
      new ConcurrentHashMap<>();

  /**
   * Whether it has one of the session's waits. Without it, the lock is taken only if it is free.
   */
  private volatile boolean mayWait;

  /** The request whose answer counts, null before it is sent. Guarded by this, like the rest. */
  private RequestId currentId;

  /** Whether an earlier request may have a place in the queue, whatever becomes of this one. */
  private boolean renumbered;

  /** Whether no answer counts any more. */
  private boolean over;

  /**
   * @param wait null to wait without limit
   */
  Acquisition(Session session, String name, String metadata, Duration wait) {
    this.session = session;
    this.name = name;
    this.metadata = metadata;
    this.wait = wait;
    this.budget = policy(wait).budget();
    this.startedAtNanos = session.core().time().nanoTime();
  }

  void start() {
    if (!session.bind(this)) {
      completeExceptionally(session.expiredException());
      return;
    }
    mayWait = waits() && session.waits().tryAcquire();
    ask();
  }

  private boolean waits() {
    return wait == null || !wait.isZero();
  }

  private void ask() {
    if (mayWait) {
      session.numbers().takeToWait(this::send, this::renumber);
    } else {
      session.numbers().take(this::send);
    }
    if (budget != null && !isAsked()) {
      session.core().executeAfter(budget, this::endUnasked);
    }
  }

  private void send(RequestId id) {
    if (!supersede(id)) {
      session.numbers().answered(id);
      return;
    }
    CompletableFuture<AcquireLockResponse> call = call(id);
    calls.put(id, call);
    call.whenComplete((response, failure) -> answered(id, response, failure));
    if (isOver()) {
      letGo();
    }
  }

  /** A number that was taken must be given back, so whatever is thrown counts as an answer. */
  private CompletableFuture<AcquireLockResponse> call(RequestId id) {
    try {
      Duration waitLeft = waitLeft();
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
      return session.core().channel().call(Rpc.ACQUIRE_LOCK, request.build(), policy(waitLeft));
    } catch (RuntimeException | Error e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** A request whose sender was held up may come after the one that took over from it. */
  private synchronized boolean supersede(RequestId id) {
    boolean supersedes = !over && (currentId == null || id.getNumber() > currentId.getNumber());
    if (supersedes) {
      renumbered |= currentId != null;
      currentId = id;
    }
    return supersedes;
  }

  /** Tells whether the answer to this request is the one; no request takes over after that. */
  private synchronized boolean settle(RequestId id) {
    boolean settled = id.equals(currentId) && !over;
    over |= settled;
    return settled;
  }

  /** Tells whether to ask anew after this request, of which nothing is left at the cluster. */
  private synchronized boolean reopen(RequestId id) {
    boolean reopened = id.equals(currentId) && !over;
    if (reopened) {
      currentId = null;
    }
    return reopened;
  }

  private synchronized boolean isOver() {
    return over;
  }

  private synchronized boolean isAsked() {
    return currentId != null;
  }

  private synchronized boolean mayHavePlace(Throwable failure) {
    return renumbered
        || !(failure instanceof CoordinatorException)
        || (failure instanceof UnavailableException lost && !lost.outcomeKnown());
  }

  /** The cluster lets a further request of the same owner take over its place in the queue. */
  private void renumber() {
    session
        .core()
        .execute(
            () -> {
              if (!isDone()) {
                send(session.numbers().renumber(this::renumber));
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
    calls.remove(id);
    session.numbers().answered(id);
    if (isEndedByOthers(response, failure)) {
      if (reopen(id)) {
        ask();
      }
      return;
    }
    if (!settle(id)) {
      // A request with a fresh number took over and gets the answer, or nobody wants one.
      return;
    }
    leave();
    if (failure != null) {
      failed(failure);
      return;
    }
    switch (response.getOutcome()) {
      case OUTCOME_ACQUIRED, OUTCOME_ALREADY_HELD -> granted(response.getToken());
      default -> notGranted();
    }
  }

  private void notGranted() {
    if (mayWait || !waits()) {
      complete(Optional.empty());
    } else {
      completeExceptionally(
          new CoordinatorException(
              Reason.LIMIT_REACHED,
              "a session waits for at most "
                  + RequestNumbers.MAX_WAITS
                  + " locks at once; wait for more with another session"));
    }
  }

  /**
   * Nobody here cancelled, but somebody did in this owner's name; or something between here and the
   * cluster sets deadlines, which end a wait without limit.
   */
  private boolean isEndedByOthers(AcquireLockResponse response, Throwable failure) {
    return failure == null
        ? mayWait && wait == null && response.getOutcome() == Outcome.OUTCOME_TIMED_OUT
        : CoordinatorException.isFor(Reason.WAIT_CANCELLED, failure);
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
    if (failure instanceof LeaseExpiredException ended) {
      session.endedByCluster(ended.getMessage());
    }
    if (mayHavePlace(failure)) {
      clearUp();
    }
    completeExceptionally(failure);
  }

  private void clearUp() {
    letGo();
    new AbandonedAcquisition(session, name, owner).settle();
  }

  /**
   * Nobody needs the answers any more. They come all the same, once the place in the queue is left;
   * to break the calls off would tell the cluster nothing, and members close a connection on which
   * too many are.
   */
  private void letGo() {
    if (calls.isEmpty()) {
      return;
    }
    calls.keySet().forEach(session.numbers()::answered);
    session
        .core()
        .executeAfter(
            session.core().callTimeout(), () -> calls.values().forEach(call -> call.cancel(true)));
  }

  /** Not before the answer counts, and before anybody learns of it. */
  private void leave() {
    if (session.unbind(this) && mayWait) {
      session.waits().release();
    }
  }

  private Duration waitLeft() {
    if (!mayWait) {
      return Duration.ZERO;
    }
    if (wait == null) {
      return null;
    }
    Duration left = wait.minusNanos(session.core().time().nanoTime() - startedAtNanos);
    return left.isNegative() ? Duration.ZERO : left;
  }

  @Override
  public boolean cancel(boolean mayInterruptIfRunning) {
    boolean cancelled = super.cancel(mayInterruptIfRunning);
    if (cancelled) {
      giveUp();
    }
    return cancelled;
  }

  @Override
  public void sessionEnded(SessionEvent event) {
    if (completeExceptionally(session.expiredException())) {
      giveUp();
    }
  }

  private void giveUp() {
    boolean asked;
    synchronized (this) {
      asked = currentId != null && !over;
      over = true;
    }
    leave();
    if (asked) {
      clearUp();
    }
  }

  /** Earlier requests of the session kept their numbers for so long that this one got none. */
  private void endUnasked() {
    synchronized (this) {
      if (over || currentId != null) {
        return;
      }
      over = true;
    }
    leave();
    completeExceptionally(
        new UnavailableException(
            Reason.UNREACHABLE,
            "the cluster does not answer earlier requests of the session",
            true,
            Map.of()));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import dev.coordinator.client.CoordinatorException.Reason;
import dev.coordinator.client.internal.Blocking;
import dev.coordinator.client.internal.CallPolicy;
import dev.coordinator.client.internal.Rpc;
import dev.coordinator.v1.CheckSequencerRequest;
import dev.coordinator.v1.ReleaseLockResponse;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A lock that is held, until it is {@linkplain #close() given back} or lost with its session.
 *
 * <p>{@link #isHeld} tells what can be known here. When the lease runs out, it turns false before
 * the cluster can grant the lock to somebody else. It does not when the lease is revoked elsewhere,
 * by an operator say, which is known here only with the next renewal; and no check made here can
 * outlast the moment, because the process may be paused right after it. Where that matters, hand
 * {@link #token()} to the resource and let it refuse smaller ones; a {@link FencingGuard} does.
 *
 * <p>A hold belongs to nobody in particular: any thread may use it and give it back. Thread-safe.
 */
public final class HeldLock implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(HeldLock.class);

  private static final Duration AGAIN = Duration.ofMillis(250);

  private enum Status {
    HELD,
    RELEASED,
    LOST
  }

  private final Session session;
  private final String name;
  private final String owner;
  private final long token;
  private final SessionBound binding = this::sessionEnded;
  private final AtomicReference<Status> status = new AtomicReference<>(Status.HELD);
  private final CompletableFuture<LockLostException> lost = new CompletableFuture<>();
  private final CompletableFuture<Void> released = new CompletableFuture<>();
  private volatile CompletableFuture<ReleaseLockResponse> releasing;

  /** Whether the release was refused, and is to be sent again after a while. */
  private volatile boolean releaseRests;

  HeldLock(Session session, String name, String owner, long token) {
    this.session = session;
    this.name = name;
    this.owner = owner;
    this.token = token;
  }

  /** The name of the lock. */
  public String name() {
    return name;
  }

  /** The fencing token: larger than that of every earlier grant of any lock. */
  public long token() {
    return token;
  }

  /** The session that holds the lock. */
  public Session session() {
    return session;
  }

  /** Whether the lock is held at this moment. */
  public boolean isHeld() {
    return status.get() == Status.HELD && session.state() != SessionState.EXPIRED;
  }

  /** How long the hold can be relied on without another renewal; zero when it is over. */
  public Duration remaining() {
    return status.get() == Status.HELD ? session.remaining() : Duration.ZERO;
  }

  /**
   * Checks that the lock is held at this moment.
   *
   * @throws LockLostException if it is not
   */
  public void checkHeld() {
    ensure(Duration.ZERO);
  }

  /**
   * Checks that the lock can be relied on for a while, before a step that takes that long.
   *
   * @throws LockLostException if it cannot
   */
  public void ensure(Duration duration) {
    if (!isHeld()) {
      throw lostException();
    }
    Duration remaining = remaining();
    if (remaining.compareTo(duration) < 0) {
      throw new LockLostException(
          name,
          token,
          Reason.LEASE_EXPIRED,
          "lock " + name + " is certain for " + remaining + " only, not for " + duration);
    }
  }

  /**
   * Asks the cluster whether this is the present hold. If it is not, the lock is lost from then on.
   *
   * @throws UnavailableException if the cluster cannot be reached
   */
  public boolean verify() {
    CheckSequencerRequest request =
        CheckSequencerRequest.newBuilder().setName(name).setToken(token).build();
    boolean valid =
        Blocking.get(session.core().channel().call(Rpc.CHECK_SEQUENCER, request, policy()))
            .getValid();
    if (!valid) {
      lose(Reason.NOT_LOCK_OWNER, "the cluster has ended the hold");
    }
    return valid && isHeld();
  }

  /**
   * Calls the listener, once, when the lock is lost: when the session expires or is closed while
   * the lock is held, or when the cluster is found to have ended the hold. It is called at once if
   * that has happened already, and never if the lock is given back first. Runs on the callback
   * executor.
   */
  public void onLost(Consumer<LockLostException> listener) {
    lost.thenAcceptAsync(
        reason -> {
          try {
            listener.accept(reason);
          } catch (RuntimeException | Error e) {
            log.error("A listener for the loss of lock {} failed", name, e);
          }
        },
        session.core().callbacks());
  }

  /**
   * Completes, normally, with the reason when the lock is lost; never if it is given back first.
   */
  public CompletableFuture<LockLostException> lost() {
    return lost.copy();
  }

  /**
   * Gives the lock back. The hold is over here at once; the future completes when the cluster has
   * confirmed it, fails with {@link LockLostException} if the lock had been lost before, and with
   * {@link LeaseExpiredException} if the cluster could not be reached until the session ended.
   * Repeats return the same future.
   */
  public CompletableFuture<Void> release() {
    if (session.state() == SessionState.EXPIRED) {
      LeaseExpiredException expired = session.expiredException();
      lose(expired.reason(), expired.getMessage());
    }
    if (status.compareAndSet(Status.HELD, Status.RELEASED)) {
      sendRelease();
    } else if (status.get() == Status.LOST) {
      released.completeExceptionally(lostException());
    }
    return released.whenCompleteAsync((done, failure) -> {}, session.core().callbacks());
  }

  /**
   * Gives the lock back and waits for the cluster to confirm it. Safe to repeat and after a loss.
   * If the cluster cannot be reached, attempts go on in the background until the session ends.
   */
  @Override
  public void close() {
    if (status.get() != Status.HELD) {
      return;
    }
    release();
    try {
      released.get(session.core().callTimeout().toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (TimeoutException e) {
      log.warn("The release of lock {} is not confirmed yet", name);
    } catch (ExecutionException e) {
      log.warn("Lock {} was not released: {}", name, e.getCause().getMessage());
    }
  }

  /** Stays bound to the session, whose end makes further attempts pointless. */
  private void sendRelease() {
    releaseRests = false;
    CompletableFuture<ReleaseLockResponse> call =
        NumberedCall.release(session, name, owner, token, CallPolicy.repeatable(null));
    releasing = call;
    call.whenComplete((response, failure) -> releaseAnswered(failure));
    if (session.state() == SessionState.EXPIRED) {
      giveUpReleasing(call);
    }
  }

  /** An attempt may be under way, and an answer to it tells more than none. */
  private void giveUpReleasing(CompletableFuture<ReleaseLockResponse> call) {
    if (!call.isDone()) {
      session.core().executeAfter(session.core().callTimeout(), () -> call.cancel(true));
    }
  }

  private void releaseAnswered(Throwable failure) {
    // The cluster has no room for the request now; the lock is as it was.
    boolean refused = CoordinatorException.isFor(Reason.LIMIT_REACHED, failure);
    releaseRests = refused;
    if (refused && session.state() != SessionState.EXPIRED) {
      session.core().executeAfter(AGAIN, this::sendRelease);
      return;
    }
    session.unbind(binding);
    if (failure == null) {
      released.complete(null);
      return;
    }
    if (refused || failure instanceof CancellationException) {
      released.completeExceptionally(session.expiredException());
      return;
    }
    if (failure instanceof LeaseExpiredException ended) {
      session.endedByCluster(ended.getMessage());
    }
    boolean wasLost =
        failure instanceof CoordinatorException
            && !(failure instanceof UnavailableException)
            && !CoordinatorException.isFor(Reason.CLOSED, failure);
    released.completeExceptionally(
        wasLost
            ? new LockLostException(
                name, token, ((CoordinatorException) failure).reason(), failure.getMessage())
            : failure);
  }

  /** Ties the hold to its session; false if that has ended already. */
  boolean bind() {
    return session.bind(binding);
  }

  private void sessionEnded(SessionEvent event) {
    CompletableFuture<ReleaseLockResponse> call = releasing;
    if (call != null) {
      giveUpReleasing(call);
    }
    if (releaseRests) {
      released.completeExceptionally(session.expiredException());
    }
    lose(
        event.cause() == SessionEvent.Cause.CLOSED ? Reason.CLOSED : Reason.LEASE_EXPIRED,
        event.message());
  }

  private void lose(Reason reason, String message) {
    if (status.compareAndSet(Status.HELD, Status.LOST)) {
      session.unbind(binding);
      LockLostException event =
          new LockLostException(name, token, reason, "lock " + name + " is lost: " + message);
      session.core().callbacks().execute(() -> lost.complete(event));
    }
  }

  private LockLostException lostException() {
    if (status.get() == Status.RELEASED && session.state() != SessionState.EXPIRED) {
      return new LockLostException(
          name, token, Reason.NOT_LOCK_OWNER, "lock " + name + " was given back");
    }
    LockLostException known = lost.getNow(null);
    String message = known == null ? session.expiredException().getMessage() : known.getMessage();
    Reason reason = known == null ? Reason.LEASE_EXPIRED : known.reason();
    return new LockLostException(name, token, reason, message);
  }

  private CallPolicy policy() {
    return CallPolicy.repeatable(session.core().callTimeout());
  }

  @Override
  public String toString() {
    return "HeldLock[" + name + ", token " + Long.toUnsignedString(token) + "]";
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import dev.coordinator.client.CoordinatorException.Reason;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One unary call and its attempts, one after the other, until a member answers, the call may not be
 * repeated, or its budget is used up. Every attempt sends the same message, so a numbered request
 * keeps its number.
 *
 * <p>Cancelling it cancels the attempt in flight, which takes a waiting acquisition without a
 * number out of the queue; one with a number may have been repeated by then, and stays. Completed
 * on a gRPC or scheduler thread.
 */
final class RetriedCall<Q, R> extends CompletableFuture<R> {

  private static final Logger log = LoggerFactory.getLogger(RetriedCall.class);

  private static final long MIN_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
  private static final long MAX_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final long MAX_ATTEMPT_NANOS = TimeUnit.SECONDS.toNanos(8);
  private static final int MAX_HOPS = 3;

  private final LeaderChannel channel;
  private final Rpc<Q, R> rpc;
  private final Q request;
  private final CallPolicy policy;
  private final long startedAtNanos;
  private final long budgetNanos;

  private volatile Attempt current;
  // Attempts follow one another, so what they leave behind needs no further protection.
  private long attemptTimeoutNanos;
  private long failingSinceNanos;
  private boolean failing;
  private boolean mayHaveApplied;
  private int hops;
  private MemberChannel avoided;

  RetriedCall(LeaderChannel channel, Rpc<Q, R> rpc, Q request, CallPolicy policy) {
    this.channel = channel;
    this.rpc = rpc;
    this.request = request;
    this.policy = policy;
    this.startedAtNanos = channel.time().nanoTime();
    this.budgetNanos = policy.budget() == null ? MemberCall.NO_TIMEOUT : policy.budget().toNanos();
    this.attemptTimeoutNanos = channel.attemptTimeoutNanos();
  }

  void attempt() {
    if (isDone()) {
      return;
    }
    if (channel.isClosed()) {
      completeExceptionally(LeaderChannel.closedException());
      return;
    }
    Attempt attempt = new Attempt(channel.pick(avoided), attemptLimitNanos());
    attempt.start(2);
    current = attempt;
    attempt.send(request);
    attempt.halfClose();
    if (isDone()) {
      attempt.abandon();
    }
  }

  @Override
  public boolean cancel(boolean mayInterruptIfRunning) {
    boolean cancelled = super.cancel(mayInterruptIfRunning);
    Attempt attempt = current;
    if (cancelled && attempt != null) {
      attempt.abandon();
    }
    return cancelled;
  }

  private long attemptLimitNanos() {
    long left = leftNanos();
    return policy.waits() ? left : Math.min(left, attemptTimeoutNanos);
  }

  private long leftNanos() {
    return budgetNanos == MemberCall.NO_TIMEOUT
        ? MemberCall.NO_TIMEOUT
        : Math.max(0, budgetNanos - (channel.time().nanoTime() - startedAtNanos));
  }

  private void failed(MemberChannel member, Failure failure) {
    if (isDone()) {
      return;
    }
    if (channel.isClosed()) {
      completeExceptionally(LeaderChannel.closedException());
      return;
    }
    if (failure.kind() == Failure.Kind.REFUSED) {
      completeExceptionally(failure.toException());
      return;
    }
    mayHaveApplied |= failure.kind() == Failure.Kind.UNKNOWN;
    long delayNanos = delayNanos(failure);
    if ((mayHaveApplied && !policy.repeatable()) || delayNanos >= leftNanos()) {
      completeExceptionally(failure.toUnavailable(!mayHaveApplied));
      return;
    }
    // An overloaded leader still leads: another member could only pass the call on to it.
    avoided = failure.reason() == Reason.OVERLOADED ? null : member;
    // A slow cluster must not be drowned in repetitions.
    attemptTimeoutNanos = Math.min(2 * attemptTimeoutNanos, MAX_ATTEMPT_NANOS);
    log.debug(
        "{} at {}: {}; again in {} ms",
        rpc.method().getBareMethodName(),
        member.address(),
        failure.message(),
        TimeUnit.NANOSECONDS.toMillis(delayNanos));
    channel.retry(this, delayNanos);
  }

  /**
   * A quarter of the time that has been lost already, so that a short outage costs little more than
   * itself and a long one little traffic; with jitter, so that clients do not come back in step.
   */
  private long delayNanos(Failure failure) {
    long now = channel.time().nanoTime();
    if (!failing) {
      failing = true;
      failingSinceNanos = now;
    }
    if (failure.reason() == Reason.NOT_LEADER && channel.knowsLeader() && hops++ < MAX_HOPS) {
      return 0;
    }
    long delay =
        Math.min(MAX_DELAY_NANOS, Math.max(MIN_DELAY_NANOS, (now - failingSinceNanos) / 4));
    if (failure.reason() == Reason.OVERLOADED) {
      delay = Math.max(delay, TimeUnit.MILLISECONDS.toNanos(failure.retryAfterMs()));
    }
    return delay / 2 + ThreadLocalRandom.current().nextLong(delay / 2 + 1);
  }

  private final class Attempt extends MemberCall<Q, R> {

    private R response;

    Attempt(MemberChannel member, long timeoutNanos) {
      super(channel, member, rpc.method(), timeoutNanos);
    }

    @Override
    void received(R message) {
      response = message;
    }

    @Override
    void ended(Failure failure) {
      if (failure != null) {
        failed(member(), failure);
      } else if (response == null) {
        failed(member(), Failure.unanswered(member().address()));
      } else {
        channel.learnFrom(member(), rpc.header().apply(response));
        complete(response);
      }
    }
  }
}

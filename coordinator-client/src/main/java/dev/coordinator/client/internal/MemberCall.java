// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One RPC at one member, unary or streaming, that ends exactly once: by the member's answer, by a
 * broken connection, by silence of the member, or by {@link #abandon}.
 *
 * <p>{@link #received} and {@link #ended} are called on gRPC or scheduler threads and must not
 * block; {@link #ended} is not called after {@link #abandon}.
 */
abstract class MemberCall<Q, R> {

  /** Never times out on its own; only the silence of its member ends it. */
  static final long NO_TIMEOUT = Long.MAX_VALUE;

  private final LeaderChannel channel;
  private final MemberChannel member;
  private final ClientCall<Q, R> call;
  private final long startedAtNanos;
  private final long timeoutNanos;
  private final AtomicBoolean over = new AtomicBoolean();

  /**
   * @param timeoutNanos how long to wait for the end of the call, or {@link #NO_TIMEOUT}
   */
  MemberCall(
      LeaderChannel channel,
      MemberChannel member,
      MethodDescriptor<Q, R> method,
      long timeoutNanos) {
    this.channel = channel;
    this.member = member;
    this.call = member.newCall(method);
    this.startedAtNanos = channel.time().nanoTime();
    this.timeoutNanos = timeoutNanos;
  }

  /** A message arrived. */
  abstract void received(R message);

  /**
   * @param failure null if the member ended the call with OK
   */
  abstract void ended(Failure failure);

  final MemberChannel member() {
    return member;
  }

  final long startedAtNanos() {
    return startedAtNanos;
  }

  final void start(int initialMessages) {
    call.start(new Listener(), channel.requestMetadata());
    member.began(this);
    if (over.get()) {
      member.finished(this);
      return;
    }
    channel.startTicking();
    request(initialMessages);
  }

  final void send(Q message) {
    unlessOver(() -> call.sendMessage(message));
  }

  final void halfClose() {
    unlessOver(call::halfClose);
  }

  final void request(int messages) {
    unlessOver(() -> call.request(messages));
  }

  /** gRPC throws if a call is used after its cancellation, which another thread may have caused. */
  private void unlessOver(Runnable action) {
    try {
      if (!over.get()) {
        action.run();
      }
    } catch (IllegalStateException e) {
      if (!over.get()) {
        throw e;
      }
    }
  }

  /** Gives the call up without a word to its owner. */
  final void abandon() {
    if (over.compareAndSet(false, true)) {
      member.finished(this);
      call.cancel("given up by the caller", null);
    }
  }

  /** Ends the call with a failure that was found here, not told by the member. */
  final void breakOff(Failure failure) {
    if (over.compareAndSet(false, true)) {
      member.finished(this);
      call.cancel(failure.message(), null);
      ended(failure);
    }
  }

  final boolean isOverdue(long nowNanos) {
    return timeoutNanos != NO_TIMEOUT && nowNanos - startedAtNanos >= timeoutNanos;
  }

  private final class Listener extends ClientCall.Listener<R> {

    @Override
    public void onHeaders(Metadata headers) {
      Failure elsewhere = channel.checkCluster(member, headers);
      if (elsewhere != null) {
        breakOff(elsewhere);
        return;
      }
      member.heard();
      channel.learnFrom(headers);
    }

    @Override
    public void onMessage(R message) {
      member.heard();
      if (!over.get()) {
        received(message);
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (!over.compareAndSet(false, true)) {
        return;
      }
      member.finished(MemberCall.this);
      if (status.isOk()) {
        ended(null);
        return;
      }
      Failure failure = channel.checkCluster(member, trailers);
      if (failure == null) {
        failure = Failure.of(status, trailers);
        channel.learnFrom(member, failure);
      }
      ended(failure);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** What came for one call, to be waited for. */
final class Received<T> implements ClientResponseObserver<Object, T> {

  private static final long PATIENCE_S = 20;

  private final BlockingQueue<T> messages = new LinkedBlockingQueue<>();
  private final CompletableFuture<Throwable> end = new CompletableFuture<>();
  private final CompletableFuture<Void> firstOrEnd = new CompletableFuture<>();
  private ClientCallStreamObserver<Object> call;

  @Override
  public void beforeStart(ClientCallStreamObserver<Object> started) {
    call = started;
  }

  @Override
  public void onNext(T message) {
    messages.add(message);
    firstOrEnd.complete(null);
  }

  @Override
  public void onError(Throwable failure) {
    end.complete(failure);
    firstOrEnd.complete(null);
  }

  @Override
  public void onCompleted() {
    end.complete(null);
    firstOrEnd.complete(null);
  }

  /** The next message. */
  T next() {
    T message = poll();
    if (message == null) {
      throw new AssertionError("nothing came", end.getNow(null));
    }
    return message;
  }

  private T poll() {
    try {
      return messages.poll(PATIENCE_S, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while waiting", e);
    }
  }

  /** Waits for a message or the end. Returns whether there is a message. */
  boolean firstOrEnd() {
    firstOrEnd.orTimeout(PATIENCE_S, TimeUnit.SECONDS).join();
    return !messages.isEmpty();
  }

  /** Waits for the end. Returns the failure, or null if there was none. */
  Throwable awaitEnd() {
    return end.orTimeout(PATIENCE_S, TimeUnit.SECONDS).join();
  }

  Throwable awaitFailure() {
    Throwable failure = awaitEnd();
    if (failure == null) {
      throw new AssertionError("the call succeeded");
    }
    return failure;
  }

  void cancel() {
    call.cancel("enough", null);
  }
}

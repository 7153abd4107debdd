// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Open calls whose answers the core gives later.
 *
 * @param <K> what an answer has in common with its call
 */
final class PendingAnswers<K, R> {

  private final Map<K, StreamObserver<R>> calls = new ConcurrentHashMap<>();

  /** Adds a call, which takes the place of an earlier one with the same key. */
  void add(K key, StreamObserver<R> call) {
    ((ServerCallStreamObserver<R>) call).setOnCancelHandler(() -> calls.remove(key, call));
    StreamObserver<R> repeated = calls.put(key, call);
    if (repeated != null) {
      repeated.onError(
          Status.ABORTED.withDescription("the request was repeated").asRuntimeException());
    }
  }

  /** Answers the call of this key. Returns whether it was still open. */
  boolean answer(K key, R answer) {
    StreamObserver<R> call = calls.remove(key);
    if (call == null) {
      return false;
    }
    call.onNext(answer);
    call.onCompleted();
    return true;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import dev.coordinator.server.runtime.Answered;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** Answers unary calls once what they asked for is decided. */
final class Answers {

  private final Statuses statuses;

  Answers(Statuses statuses) {
    this.statuses = statuses;
  }

  /**
   * Answers with {@code toResponse} of the future's value.
   *
   * @param toResponse may throw the status of a failure
   */
  <T, R> void send(
      CompletableFuture<Answered<T>> future,
      StreamObserver<R> observer,
      Function<Answered<T>, R> toResponse) {
    future.whenComplete(
        (answer, failure) -> {
          R response;
          try {
            response = failure == null ? toResponse.apply(answer) : null;
          } catch (RuntimeException e) {
            observer.onError(statuses.of(e));
            return;
          }
          if (failure != null) {
            observer.onError(statuses.of(failure));
          } else {
            observer.onNext(response);
            observer.onCompleted();
          }
        });
  }
}

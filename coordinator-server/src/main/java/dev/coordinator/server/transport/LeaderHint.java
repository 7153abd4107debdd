// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;

/** Names the leader's client address in the metadata of every answer, so that clients go there. */
public final class LeaderHint implements ServerInterceptor {

  public static final Metadata.Key<String> LEADER =
      Metadata.Key.of("coordinator-leader", Metadata.ASCII_STRING_MARSHALLER);

  private final Leadership leadership;

  public LeaderHint(Leadership leadership) {
    this.leadership = leadership;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    return next.startCall(new AnnotatedCall<>(call, this::hint), headers);
  }

  private void hint(Metadata metadata) {
    String address = leadership.clientAddress(leadership.leader());
    if (!address.isEmpty()) {
      metadata.put(LEADER, address);
    }
  }
}

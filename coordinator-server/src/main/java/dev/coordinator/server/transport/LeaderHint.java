// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;

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
    return next.startCall(new HintingCall<>(call), headers);
  }

  private final class HintingCall<Q, R> extends SimpleForwardingServerCall<Q, R> {

    private boolean hinted;

    HintingCall(ServerCall<Q, R> call) {
      super(call);
    }

    @Override
    public void sendHeaders(Metadata headers) {
      hint(headers);
      super.sendHeaders(headers);
    }

    @Override
    public void close(Status status, Metadata trailers) {
      if (!hinted) {
        hint(trailers);
      }
      super.close(status, trailers);
    }

    private void hint(Metadata metadata) {
      hinted = true;
      String address = leadership.clientAddress(leadership.leader());
      if (!address.isEmpty()) {
        metadata.put(LEADER, address);
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.wire.Failure;
import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.util.function.Consumer;

/**
 * One call that is passed on. Copies messages both ways as fast as the slower side takes them; the
 * deadline and cancellation of the client's call hold for the onward call too, through the context
 * that gRPC gives both.
 */
final class Hop<Q, R> {

  private final ServerCall<Q, R> call;
  private final NodeId leader;
  private final Leadership leadership;
  private final Consumer<Hop<?, ?>> whenEnded;
  private volatile ClientCall<Q, R> onward;

  private boolean callWaits;
  private boolean onwardWaits;
  private volatile boolean mayHaveReachedLeader;

  Hop(ServerCall<Q, R> call, NodeId leader, Leadership leadership, Consumer<Hop<?, ?>> whenEnded) {
    this.call = call;
    this.leader = leader;
    this.leadership = leadership;
    this.whenEnded = whenEnded;
  }

  NodeId leader() {
    return leader;
  }

  ServerCall.Listener<Q> start(Channel channel, Metadata headers) {
    ClientCall<Q, R> begun =
        channel.newCall(
            call.getMethodDescriptor(),
            CallOptions.DEFAULT.withStreamTracerFactory(new ReachTracerFactory()));
    begun.start(new OnwardListener(), headers);
    onward = begun;
    begun.request(1);
    call.request(1);
    return new CallListener();
  }

  void giveUp(String why) {
    ClientCall<Q, R> begun = onward;
    if (begun != null) {
      begun.cancel(why, null);
    }
  }

  /** From the client to the leader. */
  private final class CallListener extends ServerCall.Listener<Q> {

    @Override
    public void onMessage(Q message) {
      onward.sendMessage(message);
      synchronized (Hop.this) {
        if (!onward.isReady()) {
          callWaits = true;
          return;
        }
      }
      call.request(1);
    }

    @Override
    public void onHalfClose() {
      onward.halfClose();
    }

    @Override
    public void onCancel() {
      onward.cancel("the client cancelled", null);
    }

    @Override
    public void onReady() {
      synchronized (Hop.this) {
        if (!onwardWaits) {
          return;
        }
        onwardWaits = false;
      }
      onward.request(1);
    }
  }

  /** From the leader to the client. */
  private final class OnwardListener extends ClientCall.Listener<R> {

    private boolean answering;

    @Override
    public void onHeaders(Metadata headers) {
      answering = true;
      call.sendHeaders(new Metadata());
    }

    @Override
    public void onMessage(R message) {
      call.sendMessage(message);
      synchronized (Hop.this) {
        if (!call.isReady()) {
          onwardWaits = true;
          return;
        }
      }
      onward.request(1);
    }

    @Override
    public void onReady() {
      synchronized (Hop.this) {
        if (!callWaits) {
          return;
        }
        callWaits = false;
      }
      call.request(1);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      whenEnded.accept(Hop.this);
      if (isBrokenHop(status, trailers)) {
        Failure failure =
            mayHaveReachedLeader || answering
                ? leadership.outcomeUnknown(
                    "the call was passed on to member " + leader + ", which did not answer")
                : leadership.notLeader(leader);
        call.close(failure.status(), failure.trailers());
      } else {
        var details = new Metadata();
        Failure.copyDetails(trailers, details);
        call.close(status, details);
      }
    }

    /** Whether gRPC itself ended the call, not a decision of the leader. */
    private boolean isBrokenHop(Status status, Metadata trailers) {
      return switch (status.getCode()) {
        case UNAVAILABLE, CANCELLED, INTERNAL, UNKNOWN -> !Failure.isDescribedIn(trailers);
        default -> false;
      };
    }
  }

  /** Notices when the call is given to a living connection: from then on the leader may have it. */
  private final class ReachTracerFactory extends ClientStreamTracer.Factory {

    @Override
    public ClientStreamTracer newClientStreamTracer(
        ClientStreamTracer.StreamInfo info, Metadata headers) {
      return new ClientStreamTracer() {
        @Override
        public void streamCreated(Attributes transportAttributes, Metadata streamHeaders) {
          mayHaveReachedLeader = true;
        }
      };
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import dev.coordinator.internal.v1.Envelope;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.wire.Failure;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.protobuf.ProtoUtils;

/**
 * Admits the calls that other members pass on to this one, on the peer port: there they share a
 * connection, which must not have the limits of a single client's. They are never passed on again.
 */
public final class ForwardedCalls implements ServerInterceptor {

  /** Who passed a call on to whom. */
  static final Metadata.Key<Envelope> FORWARDED =
      Metadata.Key.of(
          "coordinator-forwarded-bin",
          ProtoUtils.metadataMarshaller(Envelope.getDefaultInstance()));

  private final EnvelopeCheck check;
  private final Leadership leadership;

  public ForwardedCalls(PeerSettings settings, Leadership leadership) {
    this.check = new EnvelopeCheck(settings);
    this.leadership = leadership;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    Status admission = admission(headers);
    if (!admission.isOk()) {
      call.close(admission, new Metadata());
    } else if (leadership.isLeader()) {
      return next.startCall(call, headers);
    } else {
      NodeId leader = leadership.leader();
      Failure refusal = leader.isNone() ? leadership.noLeader() : leadership.notLeader(leader);
      call.close(refusal.status(), refusal.trailers());
    }
    return new ServerCall.Listener<>() {};
  }

  /** Only a leader is sure to know of everybody who may pass calls on. */
  private Status membership(Envelope envelope) {
    return leadership.membership().contains(new NodeId(envelope.getFrom()))
        ? Status.OK
        : Status.PERMISSION_DENIED.withDescription(
            "envelope.from: "
                + Long.toUnsignedString(envelope.getFrom())
                + " is not a member of this cluster");
  }

  private Status admission(Metadata headers) {
    try {
      Envelope envelope = headers.get(FORWARDED);
      if (envelope == null) {
        return Status.PERMISSION_DENIED.withDescription(
            "this port serves other members; clients are served at the client port");
      }
      Status status = check.check(envelope);
      return status.isOk() && leadership.isLeader() ? membership(envelope) : status;
    } catch (IllegalArgumentException malformed) {
      return Status.INVALID_ARGUMENT.withDescription(FORWARDED.name() + ": malformed");
    }
  }
}

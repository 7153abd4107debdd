// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import dev.coordinator.internal.v1.AppendEntriesRequest;
import dev.coordinator.internal.v1.AppendEntriesResponse;
import dev.coordinator.internal.v1.Envelope;
import dev.coordinator.internal.v1.RaftServiceGrpc;
import dev.coordinator.internal.v1.RequestVoteRequest;
import dev.coordinator.internal.v1.RequestVoteResponse;
import dev.coordinator.server.metrics.PeerMetrics;
import dev.coordinator.server.ports.Inbox;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.wire.MessageCodec;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * The way in from peers. Messages go to the inbox; the core's replies come back later and leave on
 * the call they answer, or for entries on the newest stream of their receiver.
 */
final class PeerEndpoint extends RaftServiceGrpc.RaftServiceImplBase {

  /** Bytes of replies that may wait for the network before further ones are dropped. */
  private static final int MAX_OUTSTANDING_BYTES = 256 << 10;

  /** What a vote reply has in common with its request. */
  private record VoteKey(NodeId candidate, long requestTerm, boolean preVote) {}

  private final String clusterId;
  private final EnvelopeCheck check;
  private final Map<NodeId, Connection> connections;
  private final Inbox inbox;
  private final PeerMetrics metrics;

  private final Map<VoteKey, StreamObserver<RequestVoteResponse>> pendingVotes =
      new ConcurrentHashMap<>();
  private final Map<NodeId, InboundStream> newestStreams = new ConcurrentHashMap<>();

  PeerEndpoint(
      PeerSettings settings,
      Map<NodeId, Connection> connections,
      Inbox inbox,
      PeerMetrics metrics) {
    this.clusterId = settings.clusterId();
    this.check = new EnvelopeCheck(settings);
    this.connections = connections;
    this.inbox = inbox;
    this.metrics = metrics;
  }

  @Override
  public void requestVote(
      RequestVoteRequest request, StreamObserver<RequestVoteResponse> observer) {
    RaftMessage.RequestVote message;
    try {
      message = admit(request.getEnvelope(), () -> MessageCodec.decode(request));
    } catch (StatusRuntimeException e) {
      observer.onError(e);
      return;
    }
    var key = new VoteKey(message.from(), message.term(), message.preVote());
    ((ServerCallStreamObserver<RequestVoteResponse>) observer)
        .setOnCancelHandler(() -> pendingVotes.remove(key, observer));
    StreamObserver<RequestVoteResponse> repeated = pendingVotes.put(key, observer);
    if (repeated != null) {
      repeated.onError(
          Status.ABORTED.withDescription("the request was repeated").asRuntimeException());
    }
    metrics.received(message.from().value());
    inbox.receive(message);
  }

  /** Completes the call that the reply answers, if it is still open. */
  void send(RaftMessage.RequestVoteReply reply) {
    StreamObserver<RequestVoteResponse> observer =
        pendingVotes.remove(new VoteKey(reply.to(), reply.requestTerm(), reply.preVote()));
    if (observer == null) {
      metrics.dropped(reply.to().value());
      return;
    }
    observer.onNext(MessageCodec.encode(reply, clusterId));
    observer.onCompleted();
    metrics.sent(reply.to().value());
  }

  @Override
  public StreamObserver<AppendEntriesRequest> appendEntries(
      StreamObserver<AppendEntriesResponse> responses) {
    return new InboundStream((ServerCallStreamObserver<AppendEntriesResponse>) responses);
  }

  /** Sends on the peer's newest stream if it can take the reply, and drops it otherwise. */
  void send(RaftMessage.AppendEntriesReply reply) {
    InboundStream stream = newestStreams.get(reply.to());
    if (stream == null || !stream.send(reply)) {
      metrics.dropped(reply.to().value());
    } else {
      metrics.sent(reply.to().value());
    }
  }

  /**
   * Decodes a message of a peer to this member; any other is refused and never reaches the core.
   */
  private <M> M admit(Envelope envelope, Supplier<M> decode) {
    Status status = check.check(envelope);
    if (status.isOk()) {
      try {
        return decode.get();
      } catch (IllegalArgumentException e) {
        status = Status.INVALID_ARGUMENT.withDescription(e.getMessage());
      }
    }
    metrics.refused();
    throw status.asRuntimeException();
  }

  /** One stream of entries from a peer, which its first message names. */
  private final class InboundStream implements StreamObserver<AppendEntriesRequest> {

    private final ServerCallStreamObserver<AppendEntriesResponse> responses;
    private NodeId sender = NodeId.NONE;
    private boolean ended;

    InboundStream(ServerCallStreamObserver<AppendEntriesResponse> responses) {
      this.responses = responses;
      responses.setOnReadyThreshold(MAX_OUTSTANDING_BYTES);
      responses.setOnCancelHandler(this::end);
    }

    @Override
    public void onNext(AppendEntriesRequest request) {
      if (ended) {
        return;
      }
      RaftMessage.AppendEntries message;
      try {
        message = admit(request.getEnvelope(), () -> MessageCodec.decode(request));
        identify(message.from());
      } catch (StatusRuntimeException e) {
        if (end()) {
          responses.onError(e);
        }
        return;
      }
      metrics.received(sender.value());
      inbox.receive(message);
    }

    private void identify(NodeId from) {
      if (sender.isNone()) {
        sender = from;
        newestStreams.put(sender, this);
        connections.get(sender).opened();
      } else if (!sender.equals(from)) {
        throw Status.INVALID_ARGUMENT
            .withDescription("envelope.from: all messages of a stream have one sender")
            .asRuntimeException();
      }
    }

    synchronized boolean send(RaftMessage.AppendEntriesReply reply) {
      if (ended || !responses.isReady()) {
        return false;
      }
      responses.onNext(MessageCodec.encode(reply, clusterId));
      return true;
    }

    @Override
    public void onError(Throwable failure) {
      end();
    }

    @Override
    public void onCompleted() {
      if (end()) {
        responses.onCompleted();
      }
    }

    /** Returns whether it had not ended before. */
    private boolean end() {
      synchronized (this) {
        if (ended) {
          return false;
        }
        ended = true;
      }
      // An older stream than the newest one says nothing about the connection.
      if (newestStreams.remove(sender, this)) {
        connections.get(sender).broken();
      }
      return true;
    }
  }
}

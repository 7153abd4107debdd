// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import dev.coordinator.internal.v1.AppendEntriesRequest;
import dev.coordinator.internal.v1.AppendEntriesResponse;
import dev.coordinator.internal.v1.Envelope;
import dev.coordinator.internal.v1.InstallSnapshotRequest;
import dev.coordinator.internal.v1.InstallSnapshotResponse;
import dev.coordinator.internal.v1.RaftServiceGrpc;
import dev.coordinator.internal.v1.ReadIndexRequest;
import dev.coordinator.internal.v1.ReadIndexResponse;
import dev.coordinator.internal.v1.RequestVoteRequest;
import dev.coordinator.internal.v1.RequestVoteResponse;
import dev.coordinator.internal.v1.TimeoutNowRequest;
import dev.coordinator.internal.v1.TimeoutNowResponse;
import dev.coordinator.server.metrics.PeerMetrics;
import dev.coordinator.server.ports.Inbox;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.Sender;
import dev.coordinator.server.wire.MessageCodec;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
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

  /** What the answer to a question for a read has in common with it. */
  private record ReadKey(NodeId asking, long request) {}

  private final String clusterId;
  private final EnvelopeCheck check;
  private final Supplier<Sender> self;
  private final Function<NodeId, Connection> connections;
  private final Inbox inbox;
  private final PeerMetrics metrics;

  private final PendingAnswers<VoteKey, RequestVoteResponse> pendingVotes = new PendingAnswers<>();

  /** By leader, who sends one part after the other. */
  private final PendingAnswers<NodeId, InstallSnapshotResponse> pendingChunks =
      new PendingAnswers<>();

  private final PendingAnswers<ReadKey, ReadIndexResponse> pendingReads = new PendingAnswers<>();
  private final Map<NodeId, InboundStream> newestStreams = new ConcurrentHashMap<>();

  /**
   * @param connections the connection to a member of the configuration, null for others
   */
  PeerEndpoint(
      PeerSettings settings,
      Supplier<Sender> self,
      Function<NodeId, Connection> connections,
      Inbox inbox,
      PeerMetrics metrics) {
    this.clusterId = settings.clusterId();
    this.check = new EnvelopeCheck(settings);
    this.self = self;
    this.connections = connections;
    this.inbox = inbox;
    this.metrics = metrics;
  }

  @Override
  public void requestVote(
      RequestVoteRequest request, StreamObserver<RequestVoteResponse> observer) {
    take(
        request.getEnvelope(),
        () -> MessageCodec.decode(request),
        vote -> pendingVotes.add(new VoteKey(vote.from(), vote.term(), vote.preVote()), observer),
        observer);
  }

  @Override
  public void installSnapshot(
      InstallSnapshotRequest request, StreamObserver<InstallSnapshotResponse> observer) {
    take(
        request.getEnvelope(),
        () -> MessageCodec.decode(request),
        chunk -> pendingChunks.add(chunk.from(), observer),
        observer);
  }

  @Override
  public void readIndex(ReadIndexRequest request, StreamObserver<ReadIndexResponse> observer) {
    take(
        request.getEnvelope(),
        () -> MessageCodec.decode(request),
        read -> pendingReads.add(new ReadKey(read.from(), read.request()), observer),
        observer);
  }

  @Override
  public void timeoutNow(TimeoutNowRequest request, StreamObserver<TimeoutNowResponse> observer) {
    take(
        request.getEnvelope(),
        () -> MessageCodec.decode(request),
        timeout -> {
          observer.onNext(TimeoutNowResponse.getDefaultInstance());
          observer.onCompleted();
        },
        observer);
  }

  /** Takes the message of a call, which {@code admitted} files or answers. */
  private <M extends RaftMessage> void take(
      Envelope envelope, Supplier<M> decode, Consumer<M> admitted, StreamObserver<?> observer) {
    M message;
    try {
      message = admit(envelope, decode);
    } catch (StatusRuntimeException e) {
      observer.onError(e);
      return;
    }
    admitted.accept(message);
    deliver(envelope, message);
  }

  private void deliver(Envelope envelope, RaftMessage message) {
    metrics.received(message.from().value());
    inbox.receive(MessageCodec.sender(envelope), message);
  }

  /** Completes the call that the reply answers, if it is still open. */
  void send(RaftMessage.RequestVoteReply reply) {
    sent(
        reply,
        pendingVotes.answer(
            new VoteKey(reply.to(), reply.requestTerm(), reply.preVote()),
            MessageCodec.encode(reply, clusterId, self.get())));
  }

  /** Completes the call of the newest part that its receiver has sent. */
  void send(RaftMessage.InstallSnapshotReply reply) {
    sent(
        reply, pendingChunks.answer(reply.to(), MessageCodec.encode(reply, clusterId, self.get())));
  }

  /** Completes the call that the reply answers, if it is still open. */
  void send(RaftMessage.ReadIndexReply reply) {
    sent(
        reply,
        pendingReads.answer(
            new ReadKey(reply.to(), reply.request()),
            MessageCodec.encode(reply, clusterId, self.get())));
  }

  /** Sends on the peer's newest stream if it can take the reply, and drops it otherwise. */
  void send(RaftMessage.AppendEntriesReply reply) {
    InboundStream stream = newestStreams.get(reply.to());
    sent(reply, stream != null && stream.send(reply));
  }

  private void sent(RaftMessage reply, boolean gone) {
    if (gone) {
      metrics.sent(reply.to().value());
    } else {
      metrics.dropped(reply.to().value());
    }
  }

  @Override
  public StreamObserver<AppendEntriesRequest> appendEntries(
      StreamObserver<AppendEntriesResponse> responses) {
    return new InboundStream((ServerCallStreamObserver<AppendEntriesResponse>) responses);
  }

  /**
   * Decodes a message of a peer to this member; any other is refused and never reaches the core.
   */
  private <M> M admit(Envelope envelope, Supplier<M> decode) {
    Status status = check.check(envelope);
    if (status.isOk()) {
      try {
        MessageCodec.sender(envelope);
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
      // Also when a check before this service has closed the call.
      responses.setOnCloseHandler(this::end);
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
      deliver(request.getEnvelope(), message);
    }

    private void identify(NodeId from) {
      if (sender.isNone()) {
        sender = from;
        newestStreams.put(sender, this);
        Connection connection = connections.apply(sender);
        if (connection != null) {
          connection.opened();
        }
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
      AppendEntriesResponse response = MessageCodec.encode(reply, clusterId, self.get());
      try {
        responses.onNext(response);
        return true;
      } catch (IllegalStateException e) {
        return false; // The call was closed at this moment.
      }
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
        Connection connection = connections.apply(sender);
        if (connection != null) {
          connection.broken();
        }
      }
      return true;
    }
  }
}

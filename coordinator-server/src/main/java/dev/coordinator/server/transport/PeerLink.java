// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import dev.coordinator.internal.v1.AppendEntriesRequest;
import dev.coordinator.internal.v1.AppendEntriesResponse;
import dev.coordinator.internal.v1.RaftServiceGrpc;
import dev.coordinator.internal.v1.RequestVoteRequest;
import dev.coordinator.internal.v1.RequestVoteResponse;
import dev.coordinator.server.metrics.PeerMetrics;
import dev.coordinator.server.ports.Inbox;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.wire.MessageCodec;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way out to one peer: votes as single calls, entries as one stream that is opened again
 * whenever it ends. Nothing queues here: what the stream can't take is dropped, and the protocol
 * repeats it.
 */
final class PeerLink implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(PeerLink.class);

  /** Bytes that may wait for the network before messages are dropped. */
  private static final int MAX_OUTSTANDING_BYTES = 8 << 20;

  private static final long REOPEN_DELAY_MS = 100;

  /** After a refusal, which only a changed configuration can end. */
  private static final long REFUSED_DELAY_MS = 1_000;

  private final NodeId peer;
  private final PeerSettings settings;
  private final EnvelopeCheck check;
  private final Connection connection;
  private final Inbox inbox;
  private final PeerMetrics metrics;
  private final ScheduledExecutorService scheduler;
  private final PersistentChannel channel;

  private AppendStream stream;
  private boolean closed;

  PeerLink(
      MemberAddress address,
      PeerSettings settings,
      Connection connection,
      Inbox inbox,
      PeerMetrics metrics,
      ScheduledExecutorService scheduler) {
    this.peer = address.id();
    this.settings = settings;
    this.check = new EnvelopeCheck(settings);
    this.connection = connection;
    this.inbox = inbox;
    this.metrics = metrics;
    this.scheduler = scheduler;
    this.channel = new PersistentChannel(address.peer(), settings.maxMessageBytes(), scheduler);
  }

  void start() {
    channel.connect();
    openStream();
  }

  private synchronized void openStream() {
    if (!closed) {
      stream = new AppendStream();
      stream.open();
    }
  }

  /** Sends if the stream can take the message, and drops it otherwise. */
  synchronized void send(RaftMessage.AppendEntries message) {
    if (stream == null || !stream.send(message)) {
      metrics.dropped(peer.value());
    }
  }

  void send(RaftMessage.RequestVote message) {
    RequestVoteRequest request = MessageCodec.encode(message, settings.clusterId());
    ClientCalls.asyncUnaryCall(
        channel
            .channel()
            .newCall(
                RaftServiceGrpc.getRequestVoteMethod(),
                CallOptions.DEFAULT.withDeadlineAfter(
                    settings.voteTimeoutMs(), TimeUnit.MILLISECONDS)),
        request,
        new StreamObserver<RequestVoteResponse>() {
          @Override
          public void onNext(RequestVoteResponse response) {
            receive(response);
          }

          @Override
          public void onError(Throwable failure) {
            metrics.dropped(peer.value());
          }

          @Override
          public void onCompleted() {}
        });
  }

  private void receive(RequestVoteResponse response) {
    if (check.check(response.getEnvelope()).isOk()) {
      deliver(MessageCodec.decode(response));
    }
  }

  private void receive(AppendEntriesResponse response) {
    Status status = check.check(response.getEnvelope());
    if (!status.isOk()) {
      throw new IllegalArgumentException(status.getDescription());
    }
    deliver(MessageCodec.decode(response));
  }

  private void deliver(RaftMessage message) {
    metrics.received(peer.value());
    inbox.receive(message);
  }

  private void streamEnded(Status status) {
    boolean refused =
        status.getCode() == Status.Code.PERMISSION_DENIED
            || status.getCode() == Status.Code.INVALID_ARGUMENT
            || status.getCode() == Status.Code.UNIMPLEMENTED;
    synchronized (this) {
      stream = null;
      if (closed) {
        return;
      }
      try {
        scheduler.schedule(
            this::openStream, refused ? REFUSED_DELAY_MS : REOPEN_DELAY_MS, TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException e) {
        return; // The member stops.
      }
    }
    if (refused) {
      log.warn("member {} refuses this member: {}", peer, status.getDescription());
    }
    connection.broken();
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      stream = null;
    }
    channel.close();
  }

  /** One life of the stream of entries. */
  private final class AppendStream extends ClientCall.Listener<AppendEntriesResponse> {

    private final ClientCall<AppendEntriesRequest, AppendEntriesResponse> call =
        channel
            .channel()
            .newCall(
                RaftServiceGrpc.getAppendEntriesMethod(),
                CallOptions.DEFAULT.withWaitForReady().withOnReadyThreshold(MAX_OUTSTANDING_BYTES));

    private boolean opened;

    void open() {
      call.start(this, new Metadata());
      call.request(Integer.MAX_VALUE);
    }

    boolean send(RaftMessage.AppendEntries message) {
      if (!call.isReady()) {
        return false;
      }
      call.sendMessage(MessageCodec.encode(message, settings.clusterId()));
      metrics.sent(peer.value());
      return true;
    }

    @Override
    public void onReady() {
      // Called again whenever the stream can take messages after it could not.
      if (!opened) {
        opened = true;
        connection.opened();
      }
    }

    @Override
    public void onMessage(AppendEntriesResponse response) {
      try {
        receive(response);
      } catch (IllegalArgumentException e) {
        log.warn("member {} answers with what no member sends: {}", peer, e.getMessage());
        call.cancel("malformed response", null);
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      streamEnded(status);
    }
  }
}

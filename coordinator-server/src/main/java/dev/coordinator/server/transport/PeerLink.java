// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import dev.coordinator.internal.v1.AppendEntriesRequest;
import dev.coordinator.internal.v1.AppendEntriesResponse;
import dev.coordinator.internal.v1.Envelope;
import dev.coordinator.internal.v1.InstallSnapshotRequest;
import dev.coordinator.internal.v1.InstallSnapshotResponse;
import dev.coordinator.internal.v1.RaftServiceGrpc;
import dev.coordinator.server.metrics.PeerMetrics;
import dev.coordinator.server.ports.Inbox;
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.Sender;
import dev.coordinator.server.wire.MessageCodec;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way out to one peer: entries as one stream that is opened again whenever it ends, everything
 * else as single calls. Nothing queues here: what the stream can't take is dropped, and the
 * protocol repeats it.
 */
final class PeerLink implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(PeerLink.class);

  /** Bytes that may wait for the network before messages are dropped. */
  private static final int MAX_OUTSTANDING_BYTES = 8 << 20;

  private static final long REOPEN_DELAY_MS = 100;

  /** After a refusal, which only a changed configuration can end. */
  private static final long REFUSED_DELAY_MS = 1_000;

  /** A follower answers the last part of a snapshot only when the whole of it is installed. */
  private static final long SNAPSHOT_TIMEOUT_FACTOR = 10;

  /** On a way no slower than this, a part of a snapshot arrives before its time is over. */
  private static final long MIN_BYTES_PER_S = 4 << 10;

  /** To the client a stream of one request: of others it cannot be seen when they leave. */
  private static final MethodDescriptor<InstallSnapshotRequest, InstallSnapshotResponse> PART =
      RaftServiceGrpc.getInstallSnapshotMethod().toBuilder()
          .setType(MethodDescriptor.MethodType.CLIENT_STREAMING)
          .build();

  private final NodeId peer;
  private final String address;
  private final PeerSettings settings;
  private final Supplier<Sender> self;
  private final EnvelopeCheck check;
  private final Connection connection;
  private final Inbox inbox;
  private final PeerMetrics metrics;
  private final ScheduledExecutorService scheduler;
  private final PersistentChannel channel;

  private AppendStream stream;
  private boolean closed;

  /** The part of a snapshot that was sent last, as long as it has not left. */
  private PartCall part;

  PeerLink(
      MemberInfo peer,
      PeerSettings settings,
      Supplier<Sender> self,
      Connection connection,
      Inbox inbox,
      PeerMetrics metrics,
      ScheduledExecutorService scheduler) {
    this.peer = peer.id();
    this.address = peer.peerAddress();
    this.settings = settings;
    this.self = self;
    this.check = new EnvelopeCheck(settings);
    this.connection = connection;
    this.inbox = inbox;
    this.metrics = metrics;
    this.scheduler = scheduler;
    this.channel = new PersistentChannel(address, settings.maxMessageBytes(), scheduler);
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

  NodeId peer() {
    return peer;
  }

  String address() {
    return address;
  }

  Connection connection() {
    return connection;
  }

  /** Sends a request. Entries are dropped if the stream cannot take them. */
  void send(RaftMessage message) {
    String cluster = settings.clusterId();
    if (message instanceof RaftMessage.AppendEntries append) {
      send(append);
    } else if (message instanceof RaftMessage.RequestVote vote) {
      call(
          RaftServiceGrpc.getRequestVoteMethod(),
          MessageCodec.encode(vote, cluster, self.get()),
          settings.callTimeoutMs(),
          answer -> receive(answer.getEnvelope(), () -> MessageCodec.decode(answer)));
    } else if (message instanceof RaftMessage.InstallSnapshot chunk) {
      send(chunk);
    } else if (message instanceof RaftMessage.ReadIndex read) {
      call(
          RaftServiceGrpc.getReadIndexMethod(),
          MessageCodec.encode(read, cluster, self.get()),
          settings.callTimeoutMs(),
          answer -> receive(answer.getEnvelope(), () -> MessageCodec.decode(answer)));
    } else if (message instanceof RaftMessage.TimeoutNow timeout) {
      call(
          RaftServiceGrpc.getTimeoutNowMethod(),
          MessageCodec.encode(timeout, cluster, self.get()),
          settings.callTimeoutMs(),
          answer -> {});
    } else {
      throw new IllegalArgumentException("a reply goes on the way of its request: " + message);
    }
  }

  private synchronized void send(RaftMessage.AppendEntries message) {
    if (stream == null || !stream.send(message)) {
      metrics.dropped(peer.value());
    }
  }

  /**
   * Sends a part of a snapshot, unless another still waits for the network: on a slow way, parts
   * that share it would keep each other from arriving in time.
   */
  private synchronized void send(RaftMessage.InstallSnapshot chunk) {
    if (part != null) {
      metrics.dropped(peer.value());
      return;
    }
    part = new PartCall(chunk.data().length);
    part.send(chunk);
  }

  private <Q, R> void call(
      MethodDescriptor<Q, R> method, Q request, long timeoutMs, Consumer<R> answered) {
    metrics.sent(peer.value());
    ClientCalls.asyncUnaryCall(
        channel
            .channel()
            .newCall(
                method, CallOptions.DEFAULT.withDeadlineAfter(timeoutMs, TimeUnit.MILLISECONDS)),
        request,
        new StreamObserver<R>() {
          @Override
          public void onNext(R answer) {
            try {
              answered.accept(answer);
            } catch (IllegalArgumentException e) {
              warnOfMalformed(e);
            }
          }

          @Override
          public void onError(Throwable failure) {
            metrics.dropped(peer.value());
          }

          @Override
          public void onCompleted() {}
        });
  }

  /**
   * @throws IllegalArgumentException if no member of this cluster answers so
   */
  private void receive(Envelope envelope, Supplier<RaftMessage> decode) {
    Status status = check.check(envelope);
    if (!status.isOk()) {
      throw new IllegalArgumentException(status.getDescription());
    }
    RaftMessage message = decode.get();
    metrics.received(peer.value());
    inbox.receive(MessageCodec.sender(envelope), message);
  }

  private void warnOfMalformed(IllegalArgumentException why) {
    log.warn("member {} answers with what no member sends: {}", peer, why.getMessage());
  }

  private void streamEnded(Status status) {
    boolean refused =
        status.getCode() == Status.Code.PERMISSION_DENIED
            || status.getCode() == Status.Code.INVALID_ARGUMENT
            || status.getCode() == Status.Code.RESOURCE_EXHAUSTED
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

  /** One part of a snapshot on its way. */
  private final class PartCall extends ClientCall.Listener<InstallSnapshotResponse> {

    private final ClientCall<InstallSnapshotRequest, InstallSnapshotResponse> call;
    private boolean sent;

    PartCall(int bytes) {
      long timeoutMs =
          settings.callTimeoutMs() * SNAPSHOT_TIMEOUT_FACTOR + bytes * 1_000L / MIN_BYTES_PER_S;
      call =
          channel
              .channel()
              .newCall(
                  PART, CallOptions.DEFAULT.withDeadlineAfter(timeoutMs, TimeUnit.MILLISECONDS));
    }

    void send(RaftMessage.InstallSnapshot chunk) {
      metrics.sent(peer.value());
      call.start(this, new Metadata());
      call.request(1);
      call.sendMessage(MessageCodec.encode(chunk, settings.clusterId(), self.get()));
      sent = true;
      onReady();
    }

    /** The request ends, and another one may follow, once the network has taken what waited. */
    @Override
    public void onReady() {
      synchronized (PeerLink.this) {
        // The call may become ready as it starts, before there is anything to wait for.
        if (part == this && sent && call.isReady()) {
          part = null;
          call.halfClose();
        }
      }
    }

    @Override
    public void onMessage(InstallSnapshotResponse response) {
      try {
        receive(response.getEnvelope(), () -> MessageCodec.decode(response));
      } catch (IllegalArgumentException e) {
        warnOfMalformed(e);
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      synchronized (PeerLink.this) {
        if (part == this) {
          part = null;
        }
      }
      if (!status.isOk()) {
        metrics.dropped(peer.value());
      }
    }
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
      call.sendMessage(MessageCodec.encode(message, settings.clusterId(), self.get()));
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
        receive(response.getEnvelope(), () -> MessageCodec.decode(response));
      } catch (IllegalArgumentException e) {
        warnOfMalformed(e);
        abandon();
      }
    }

    /** Nobody may send on a call that was cancelled. */
    private void abandon() {
      synchronized (PeerLink.this) {
        if (stream == this) {
          stream = null;
        }
      }
      call.cancel("malformed response", null);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      streamEnded(status);
    }
  }
}

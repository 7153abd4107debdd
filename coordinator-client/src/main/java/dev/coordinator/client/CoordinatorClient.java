// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import dev.coordinator.client.internal.Blocking;
import dev.coordinator.client.internal.CallbackExecutor;
import dev.coordinator.client.internal.KeepAliver;
import dev.coordinator.client.internal.LeaderChannel;
import dev.coordinator.client.internal.WatchStream;
import dev.coordinator.v1.WatchRequest;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client of a Coordinator cluster. Make one for a process and share it.
 *
 * <p>It finds the leader and follows it, over connections to all members; one endpoint is enough to
 * learn the others. Calls are repeated where that is safe, and everything that changes something is
 * made so that it is.
 *
 * <p>It runs one scheduler thread besides those of gRPC. Listeners, and what depends on the futures
 * it hands out, run on the callback executor; after that was shut down, on daemon threads of the
 * client; and never on a thread of gRPC.
 *
 * <p>Thread-safe.
 */
public final class CoordinatorClient implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(CoordinatorClient.class);

  /** A page of a list, with long names, metadata and queues, is larger than gRPC's 4 MiB. */
  private static final int MAX_ANSWER_BYTES = 16 << 20;

  private final ClientCore core;
  private final Duration attemptTimeout;
  private final ScheduledThreadPoolExecutor scheduler;
  private final ExecutorService ownCallbacks;
  private final Set<Session> sessions = ConcurrentHashMap.newKeySet();
  private final Set<WatchStream> watches = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  private CoordinatorClient(Builder builder) {
    this.attemptTimeout = builder.attemptTimeout;
    this.scheduler = new ScheduledThreadPoolExecutor(1, Threads.named("coordinator-scheduler"));
    scheduler.setRemoveOnCancelPolicy(true);
    scheduler.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    this.ownCallbacks = builder.executor == null ? Threads.pool("coordinator-callback") : null;
    LeaderChannel channel =
        new LeaderChannel(
            builder.endpoints, builder.connector(), builder.time, scheduler, attemptTimeout);
    this.core =
        new ClientCore(
            channel,
            new KeepAliver(channel, builder.time, scheduler),
            builder.time,
            scheduler,
            new CallbackExecutor(
                builder.executor == null ? ownCallbacks : builder.executor,
                Threads.pool("coordinator-late-callback")),
            builder.owner,
            builder.callTimeout,
            builder.driftMargin);
  }

  /** A client with default settings; each endpoint is host:port. */
  public static CoordinatorClient connect(String... endpoints) {
    return builder().endpoints(endpoints).build();
  }

  /** A client to be set up. */
  public static Builder builder() {
    return new Builder();
  }

  /** Opens a session with this TTL. */
  public Session newSession(Duration ttl) {
    return newSession(SessionOptions.ofTtl(ttl));
  }

  /** Opens a session. */
  public Session newSession(SessionOptions options) {
    return Blocking.get(open(options), Session::end);
  }

  /** As {@link #newSession(Duration)}. */
  public CompletableFuture<Session> newSessionAsync(Duration ttl) {
    return newSessionAsync(SessionOptions.ofTtl(ttl));
  }

  /** As {@link #newSession(SessionOptions)}. */
  public CompletableFuture<Session> newSessionAsync(SessionOptions options) {
    return core.handOver(open(options), Session::end);
  }

  private CompletableFuture<Session> open(SessionOptions options) {
    if (closed) {
      return CompletableFuture.failedFuture(LeaderChannel.closedException());
    }
    CompletableFuture<Session> opening = Session.open(core, options);
    opening.thenAccept(this::remember);
    return opening;
  }

  private void remember(Session session) {
    sessions.add(session);
    // Not before: who closes the client must wait for what a session that was closed gives back.
    session.revoked().whenComplete((done, failure) -> sessions.remove(session));
    if (closed) {
      session.end();
    }
  }

  /** The bare lease calls. */
  public LeaseOperations leases() {
    return new LeaseOperations(core);
  }

  /** The bare lock calls. */
  public LockOperations locks() {
    return new LockOperations(core);
  }

  /** What the cluster tells of itself. */
  public ClusterOperations cluster() {
    return new ClusterOperations(core, attemptTimeout);
  }

  /** Follows one lock: its present state first, then its events. */
  public Watch watchLock(String name, WatchListener listener) {
    return watch(WatchRequest.newBuilder().setName(name).build(), listener);
  }

  /** Follows all locks whose names begin with this, or all if it is empty. */
  public Watch watchPrefix(String prefix, WatchListener listener) {
    return watch(WatchRequest.newBuilder().setPrefix(prefix).build(), listener);
  }

  private Watch watch(WatchRequest target, WatchListener listener) {
    WatchStream stream = new WatchStream(core.channel(), target, listener, core.callbacks());
    watches.add(stream);
    stream.start();
    if (closed) {
      stream.close();
    }
    return new Watch(stream, watches::remove);
  }

  /**
   * Closes all watches and sessions, which gives back every lock, and then the connections. Waits a
   * moment for the cluster to confirm it, also on a thread that is interrupted, which it stays.
   */
  @Override
  public void close() {
    closed = true;
    watches.forEach(WatchStream::close);
    List<CompletableFuture<Void>> revocations = new ArrayList<>();
    sessions.forEach(session -> revocations.add(session.end()));
    try {
      Blocking.awaitUninterruptibly(
          CompletableFuture.allOf(revocations.toArray(CompletableFuture[]::new)),
          attemptTimeout.multipliedBy(2));
    } catch (ExecutionException | TimeoutException e) {
      log.warn("Not every lease was revoked; the rest will run out: {}", e.toString());
    }
    core.keepAliver().close();
    core.channel().close();
    scheduler.shutdown();
    if (ownCallbacks != null) {
      ownCallbacks.shutdown();
    }
  }

  boolean isClosed() {
    return closed;
  }

  /** Sets up a client. Not thread-safe. */
  public static final class Builder {

    private List<String> endpoints = List.of();
    private String owner = Threads.processLabel();
    private Duration attemptTimeout = Duration.ofSeconds(1);
    private Duration callTimeout = Duration.ofSeconds(10);
    private double driftMargin = 0.01;
    private ChannelCredentials credentials = InsecureChannelCredentials.create();
    private Executor executor;
    private TimeSource time = TimeSource.system();
    private Function<String, ManagedChannel> connector;

    private Builder() {}

    /** Addresses of members, each host:port. One is enough to learn the others. */
    public Builder endpoints(String... addresses) {
      return endpoints(List.of(addresses));
    }

    /** Addresses of members, each host:port. One is enough to learn the others. */
    public Builder endpoints(List<String> addresses) {
      this.endpoints = List.copyOf(addresses);
      return this;
    }

    /** Who the leases are for, for people. By default host and process id. */
    public Builder owner(String label) {
      this.owner = Objects.requireNonNull(label, "label");
      return this;
    }

    /**
     * How long to wait for one member before asking another, for calls that are answered at once.
     * By default one second; doubles within a call.
     */
    public Builder attemptTimeout(Duration timeout) {
      this.attemptTimeout = positive("attemptTimeout", timeout);
      return this;
    }

    /**
     * How long a call may take in all, beyond the time it asked to wait. By default ten seconds.
     */
    public Builder callTimeout(Duration timeout) {
      this.callTimeout = positive("callTimeout", timeout);
      return this;
    }

    /**
     * The fraction of each TTL by which sessions give up early, since two clocks never run at
     * exactly the same rate. By default 0.01, far more than what clocks drift.
     */
    public Builder driftMargin(double fraction) {
      if (!(fraction >= 0 && fraction < 0.5)) {
        throw new IllegalArgumentException("driftMargin must be in [0, 0.5), not " + fraction);
      }
      this.driftMargin = fraction;
      return this;
    }

    /** How to secure the connections. By default they are plain text. */
    public Builder credentials(ChannelCredentials channelCredentials) {
      this.credentials = Objects.requireNonNull(channelCredentials, "channelCredentials");
      return this;
    }

    /**
     * Where listeners and dependents of futures run. By default daemon threads of the client's own.
     * An executor that is handed in is not shut down.
     */
    public Builder executor(Executor callbacks) {
      this.executor = Objects.requireNonNull(callbacks, "callbacks");
      return this;
    }

    /** The clock that leases are measured with, for tests. */
    public Builder timeSource(TimeSource source) {
      this.time = Objects.requireNonNull(source, "source");
      return this;
    }

    /** How connections are made, in place of host:port and credentials. */
    Builder connector(Function<String, ManagedChannel> function) {
      this.connector = function;
      return this;
    }

    private Function<String, ManagedChannel> connector() {
      ChannelCredentials secured = credentials;
      return connector != null
          ? connector
          : address ->
              Grpc.newChannelBuilder(address, secured)
                  .directExecutor()
                  .maxInboundMessageSize(MAX_ANSWER_BYTES)
                  .build();
    }

    /** Makes the client. It connects with the first call. */
    public CoordinatorClient build() {
      if (endpoints.isEmpty()) {
        throw new IllegalArgumentException("at least one endpoint is needed");
      }
      return new CoordinatorClient(this);
    }

    private static Duration positive(String field, Duration duration) {
      if (duration.isNegative() || duration.isZero()) {
        throw new IllegalArgumentException(field + " must be positive, not " + duration);
      }
      return duration;
    }
  }
}

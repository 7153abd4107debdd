// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import dev.coordinator.client.CoordinatorException.Reason;
import dev.coordinator.client.internal.CallPolicy;
import dev.coordinator.client.internal.KeepAliver;
import dev.coordinator.client.internal.LeaseMonitor;
import dev.coordinator.client.internal.ProtoRecords;
import dev.coordinator.client.internal.RequestNumbers;
import dev.coordinator.client.internal.Rpc;
import dev.coordinator.client.internal.SerialExecutor;
import dev.coordinator.v1.GrantLeaseRequest;
import dev.coordinator.v1.GrantLeaseResponse;
import dev.coordinator.v1.RevokeLeaseRequest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A lease that is kept alive for as long as this object is open, and the owner of locks.
 *
 * <p>The session gives up before the cluster does: it counts the TTL from the moment the last
 * answered renewal was <em>sent</em>, on the monotonic clock, less a margin for drift. When two
 * thirds have passed without an answer it is in {@linkplain SessionState#JEOPARDY jeopardy}; it
 * comes back with a SAFE event when an answer arrives, or {@linkplain SessionState#EXPIRED expires}
 * at its deadline. Every look at it compares the clock with the deadline, so a process that was
 * stopped for longer than the TTL sees an expired session at once. A machine that was suspended as
 * a whole does not, where the monotonic clock stands still meanwhile, as on Linux; there only the
 * tokens guard.
 *
 * <p>An expired session never comes back, and none is made in its place: what was done under it has
 * to be looked at first. All its locks are lost with it.
 *
 * <p>Thread-safe. One session can serve a whole process; each acquisition is an owner of its own,
 * so threads never share a hold by accident. It can hold many locks, but wait for at most 256 at
 * once, since the cluster keeps a limited number of a session's unanswered requests; {@link
 * DistributedLock} tells what becomes of one more.
 */
public final class Session implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Session.class);

  private final ClientCore core;
  private final long leaseId;
  private final Duration ttl;
  private final LeaseMonitor monitor;
  private final SerialExecutor events;
  private final RequestNumbers numbers = new RequestNumbers();
  private final Semaphore waits = new Semaphore(RequestNumbers.MAX_WAITS);
  private final Set<SessionBound> bound = ConcurrentHashMap.newKeySet();
  private final List<SessionListener> listeners = new CopyOnWriteArrayList<>();
  private final CompletableFuture<SessionEvent> expired = new CompletableFuture<>();
  private final CompletableFuture<Void> revoked = new CompletableFuture<>();
  private volatile SessionEvent end;
  private volatile ScheduledFuture<?> timer;

  private Session(ClientCore core, long leaseId, Duration ttl, long sentAtNanos) {
    this.core = core;
    this.leaseId = leaseId;
    this.ttl = ttl;
    this.events = new SerialExecutor(core.callbacks());
    this.monitor =
        new LeaseMonitor(core.time(), sentAtNanos, ttl, core.driftMargin(), this::changed);
  }

  static CompletableFuture<Session> open(ClientCore core, SessionOptions options) {
    GrantLeaseRequest request =
        GrantLeaseRequest.newBuilder()
            .setTtl(ProtoRecords.duration(options.ttl()))
            .setOwner(options.owner().isEmpty() ? core.owner() : options.owner())
            .setNonce(UUID.randomUUID().toString())
            .build();
    // A repeated grant finds the lease of the first one, so the TTL counts from the first attempt.
    long sentAtNanos = core.time().nanoTime();
    CompletableFuture<GrantLeaseResponse> call =
        core.channel().call(Rpc.GRANT_LEASE, request, CallPolicy.repeatable(core.callTimeout()));
    CompletableFuture<Session> opened = new CompletableFuture<>();
    call.whenComplete(
        (granted, failure) -> {
          if (failure != null) {
            opened.completeExceptionally(failure);
          } else {
            hand(opened, core, granted, sentAtNanos);
          }
        });
    opened.whenComplete(
        (session, failure) -> {
          if (opened.isCancelled()) {
            call.cancel(true);
          }
        });
    return opened;
  }

  /** Nobody would end a session that came too late to be handed over. */
  private static void hand(
      CompletableFuture<Session> opened,
      ClientCore core,
      GrantLeaseResponse granted,
      long sentAtNanos) {
    try {
      Session session = begin(core, granted, sentAtNanos);
      if (!opened.complete(session)) {
        session.end();
      }
    } catch (RuntimeException | Error e) {
      opened.completeExceptionally(e);
    }
  }

  private static Session begin(ClientCore core, GrantLeaseResponse granted, long sentAtNanos) {
    Duration ttl = ProtoRecords.duration(granted.getTtl());
    Session session = new Session(core, granted.getLeaseId(), ttl, sentAtNanos);
    if (session.state() == SessionState.EXPIRED) {
      throw new UnavailableException(
          Reason.LEASE_EXPIRED, "the grant took longer than the TTL of " + ttl, true, Map.of());
    }
    core.keepAliver().add(session.new Renewals(), sentAtNanos);
    session.armTimer();
    return session;
  }

  /** The number of the lease at the cluster. */
  public long leaseId() {
    return leaseId;
  }

  /** The TTL in force. */
  public Duration ttl() {
    return ttl;
  }

  /** The state at this moment. */
  public SessionState state() {
    return monitor.state();
  }

  /** How long the lease can be relied on without another renewal; zero once expired. */
  public Duration remaining() {
    return Duration.ofNanos(monitor.remainingNanos());
  }

  /** A lock to be taken on behalf of this session. Costs nothing and talks to nobody. */
  public DistributedLock lock(String name) {
    return new DistributedLock(this, name, "");
  }

  /** Tells the listener of every change from now on. */
  public void addListener(SessionListener listener) {
    listeners.add(listener);
  }

  /** Tells the listener no more. */
  public void removeListener(SessionListener listener) {
    listeners.remove(listener);
  }

  /**
   * Completes with the last event when the session has ended; completed on the callback executor.
   */
  public CompletableFuture<SessionEvent> expired() {
    return expired.copy();
  }

  /**
   * Ends the session: its locks pass to their next waiters at once. Waits for the cluster to
   * confirm it; if it does not, the lease runs out by itself. An interrupt ends the wait only. Does
   * nothing the second time.
   */
  @Override
  public void close() {
    try {
      end().get(core.callTimeout().toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      log.warn("Lease {} was not revoked and will run out: {}", leaseId, e.toString());
    }
  }

  /** As {@link #close}, without waiting; the future completes when the cluster has confirmed it. */
  public CompletableFuture<Void> closeAsync() {
    return end().whenCompleteAsync((done, failure) -> {}, core.callbacks());
  }

  @Override
  public String toString() {
    return "Session[lease " + Long.toUnsignedString(leaseId) + ", " + monitor.state() + "]";
  }

  /** Closes the session; completes as {@link #revoked}. */
  CompletableFuture<Void> end() {
    monitor.end(SessionEvent.Cause.CLOSED, "the session was closed");
    return revoked;
  }

  /**
   * Completes after the end of the session, when the cluster has confirmed it or will not; on a
   * gRPC or scheduler thread.
   */
  CompletableFuture<Void> revoked() {
    return revoked;
  }

  ClientCore core() {
    return core;
  }

  RequestNumbers numbers() {
    return numbers;
  }

  /** How many more locks can be waited for. */
  Semaphore waits() {
    return waits;
  }

  /** Why the session ended, as an exception. */
  LeaseExpiredException expiredException() {
    SessionEvent event = end;
    String why = event == null ? "the lease has expired" : event.message();
    return new LeaseExpiredException(
        event != null && event.cause() == SessionEvent.Cause.CLOSED
            ? Reason.CLOSED
            : Reason.LEASE_EXPIRED,
        why,
        Map.of("lease_id", Long.toUnsignedString(leaseId)));
  }

  /** Ties something to the end of this session; false if it has ended already. */
  boolean bind(SessionBound member) {
    bound.add(member);
    return state() != SessionState.EXPIRED || !bound.remove(member);
  }

  /** Tells whether it was tied until now. */
  boolean unbind(SessionBound member) {
    return bound.remove(member);
  }

  /** The cluster said that the lease has ended. */
  void endedByCluster(String message) {
    monitor.end(SessionEvent.Cause.ENDED_BY_CLUSTER, message);
  }

  /** Called under the monitor's lock, so everything is passed on to other threads. */
  private void changed(SessionEvent event) {
    log.debug("Lease {}: {}", leaseId, event);
    if (event.kind() == SessionEvent.Kind.EXPIRED) {
      end = event;
      try {
        core.scheduler().execute(() -> cleanUp(event));
      } catch (RejectedExecutionException e) {
        revoked.complete(null);
        core.callbacks().execute(() -> endBound(event));
      }
    }
    events.execute(() -> tell(event));
  }

  /** Holds and waits must not learn late of their end, whatever a listener is busy with. */
  private void endBound(SessionEvent event) {
    for (SessionBound member : List.copyOf(bound)) {
      if (bound.remove(member)) {
        try {
          member.sessionEnded(event);
        } catch (RuntimeException | Error e) {
          log.error("What belongs to lease {} could not be told of its end", leaseId, e);
        }
      }
    }
  }

  private void cleanUp(SessionEvent event) {
    endBound(event);
    ScheduledFuture<?> armed = timer;
    if (armed != null) {
      armed.cancel(false);
    }
    core.keepAliver().remove(leaseId);
    if (event.cause() == SessionEvent.Cause.ENDED_BY_CLUSTER) {
      revoked.complete(null);
      return;
    }
    // After this client gave up, others need not wait for the cluster's own deadline.
    core.channel()
        .call(
            Rpc.REVOKE_LEASE,
            RevokeLeaseRequest.newBuilder().setLeaseId(leaseId).build(),
            CallPolicy.repeatable(core.callTimeout()))
        .whenComplete(
            (response, failure) -> {
              if (failure == null || failure instanceof LeaseExpiredException) {
                revoked.complete(null);
              } else {
                revoked.completeExceptionally(failure);
              }
            });
  }

  private void tell(SessionEvent event) {
    for (SessionListener listener : listeners) {
      try {
        listener.onEvent(event);
      } catch (RuntimeException | Error e) {
        log.error("A session listener failed", e);
      }
    }
    if (event.kind() == SessionEvent.Kind.EXPIRED) {
      expired.complete(event);
    }
  }

  /** Makes changes known that nobody looks for. Nothing relies on its being in time. */
  private void armTimer() {
    try {
      timer =
          core.scheduler()
              .schedule(
                  () -> {
                    if (state() != SessionState.EXPIRED) {
                      armTimer();
                    }
                  },
                  monitor.nextChangeNanos(),
                  TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      log.debug("The client is closed; lease {} is not watched any more", leaseId);
    }
  }

  private final class Renewals implements KeepAliver.Renewable {

    @Override
    public long leaseId() {
      return leaseId;
    }

    @Override
    public Duration ttl() {
      return ttl;
    }

    @Override
    public void renewed(long sentAtNanos, Duration granted) {
      monitor.renewed(sentAtNanos, granted);
    }

    @Override
    public void ended() {
      endedByCluster("the cluster says that the lease has ended");
    }
  }
}

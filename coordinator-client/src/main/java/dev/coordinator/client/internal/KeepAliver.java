// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import dev.coordinator.client.TimeSource;
import dev.coordinator.v1.KeepAliveRequest;
import dev.coordinator.v1.KeepAliveResponse;
import dev.coordinator.v1.LeaseRenewal;
import dev.coordinator.v1.LeaseServiceGrpc;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Renews all leases of a client over one stream, each a third of its TTL after the last time; those
 * that are due at nearly the same moment travel in one message.
 *
 * <p>An answer that is late by a third of the TTL, or by a second, sends the renewal to another
 * member on a stream of its own. An answer that comes over the abandoned stream after all still
 * counts, from its own send time.
 *
 * <p>Everything but registration happens on the scheduler thread, so the state needs no locks.
 * Thread-safe.
 */
public final class KeepAliver {

  private static final Logger log = LoggerFactory.getLogger(KeepAliver.class);

  private static final int LEASES_PER_MESSAGE = 1_000;
  private static final long MAX_PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long MIN_PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
  private static final long MIN_BACKOFF_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
  private static final long MAX_BACKOFF_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
  private static final long DRAIN_NANOS = TimeUnit.SECONDS.toNanos(2);

  /** A lease that wants to live. Its methods are called on the scheduler thread. */
  public interface Renewable {

    long leaseId();

    Duration ttl();

    /** A renewal sent at this time was answered. */
    void renewed(long sentAtNanos, Duration ttl);

    /** The lease has ended at the cluster. */
    void ended();
  }

  private static final class Entry {
    final Renewable lease;
    final long intervalNanos;
    long dueNanos;

    Entry(Renewable lease, long dueNanos) {
      this.lease = lease;
      this.intervalNanos = lease.ttl().toNanos() / 3;
      this.dueNanos = dueNanos;
    }
  }

  private record Sent(Stream stream, long sentAtNanos, long patienceNanos, List<Long> leaseIds) {}

  private final LeaderChannel channel;
  private final TimeSource time;
  private final ScheduledExecutorService scheduler;

  private final Map<Long, Entry> entries = new HashMap<>();
  private final Map<Long, Sent> unanswered = new HashMap<>();
  private Stream stream;
  private MemberChannel avoided;
  private long avoidedUntilNanos;
  private long sequence;
  private int failures;
  private long notBeforeNanos;
  private ScheduledFuture<?> wakeUp;
  private boolean closed;

  public KeepAliver(LeaderChannel channel, TimeSource time, ScheduledExecutorService scheduler) {
    this.channel = channel;
    this.time = time;
    this.scheduler = scheduler;
    this.notBeforeNanos = time.nanoTime();
  }

  /** Renews the lease from now on; its last renewal was sent at the given time. */
  public void add(Renewable lease, long renewedAtNanos) {
    onScheduler(
        () -> {
          Entry entry = new Entry(lease, 0);
          entry.dueNanos = renewedAtNanos + entry.intervalNanos;
          entries.put(lease.leaseId(), entry);
          run();
        });
  }

  /** Lets the lease be. */
  public void remove(long leaseId) {
    onScheduler(
        () -> {
          entries.remove(leaseId);
          run();
        });
  }

  /** Renews nothing any more. */
  public void close() {
    onScheduler(
        () -> {
          closed = true;
          entries.clear();
          if (stream != null) {
            stream.abandon();
          }
        });
  }

  private void onScheduler(Runnable task) {
    try {
      scheduler.execute(task);
    } catch (RejectedExecutionException e) {
      // The client is closed; there is nothing to renew.
      return;
    }
  }

  /** Does what is due and plans the next time. */
  private void run() {
    if (closed) {
      return;
    }
    long now = time.nanoTime();
    try {
      leaveLateStream(now);
      if (entries.isEmpty()) {
        if (stream != null) {
          retire(stream);
          stream = null;
        }
      } else if (now - notBeforeNanos >= 0) {
        sendDue(now);
      }
    } catch (RuntimeException e) {
      // The leases must not die of one failure here; their next renewals are planned all the same.
      log.error("Renewing leases failed", e);
    } finally {
      plan(now);
    }
  }

  private void leaveLateStream(long now) {
    for (Sent sent : unanswered.values()) {
      if (sent.stream == stream && stream != null && now - sent.sentAtNanos >= sent.patienceNanos) {
        avoided = stream.member();
        avoidedUntilNanos = now + MAX_PATIENCE_NANOS;
        Stream late = stream;
        stream = null;
        makeDue(late, now);
        retire(late);
        return;
      }
    }
  }

  /** What was sent over the stream and is not answered is due again. */
  private void makeDue(Stream lost, long now) {
    for (Sent sent : unanswered.values()) {
      if (sent.stream == lost) {
        for (long id : sent.leaseIds) {
          Entry entry = entries.get(id);
          if (entry != null) {
            entry.dueNanos = now;
          }
        }
      }
    }
  }

  private void sendDue(long now) {
    List<Long> ids = new ArrayList<>();
    long shortest = Long.MAX_VALUE;
    for (Entry entry : entries.values()) {
      // What falls due within a quarter of the interval goes along, so leases come to beat
      // together.
      if (entry.dueNanos - entry.intervalNanos / 4 - now <= 0) {
        entry.dueNanos = now + entry.intervalNanos;
        ids.add(entry.lease.leaseId());
        shortest = Math.min(shortest, entry.intervalNanos);
      }
    }
    for (int from = 0; from < ids.size(); from += LEASES_PER_MESSAGE) {
      send(
          now,
          List.copyOf(ids.subList(from, Math.min(ids.size(), from + LEASES_PER_MESSAGE))),
          shortest);
    }
  }

  private void send(long now, List<Long> ids, long shortestIntervalNanos) {
    Stream target = currentStream(now);
    long patience =
        Math.max(MIN_PATIENCE_NANOS, Math.min(shortestIntervalNanos, MAX_PATIENCE_NANOS));
    sequence++;
    unanswered.put(sequence, new Sent(target, time.nanoTime(), patience, ids));
    target.send(KeepAliveRequest.newBuilder().addAllLeaseIds(ids).setSequence(sequence).build());
  }

  private Stream currentStream(long now) {
    if (avoided != null && now - avoidedUntilNanos >= 0) {
      avoided = null;
    }
    MemberChannel leader = channel.leader();
    boolean elsewhere =
        stream != null
            && leader != null
            && leader != stream.member()
            && leader != avoided
            && !leader.isDoubtful();
    if (elsewhere) {
      // Over a follower every renewal takes a detour.
      retire(stream);
      stream = null;
    }
    if (stream == null) {
      stream = new Stream(channel.pick(avoided));
      stream.start(Integer.MAX_VALUE);
    }
    return stream;
  }

  /** Lets answers that are on their way come in, then ends the stream. */
  private void retire(Stream old) {
    old.halfClose();
    channel.schedule(
        () -> {
          old.abandon();
          forget(old);
        },
        DRAIN_NANOS);
  }

  private void forget(Stream old) {
    unanswered.values().removeIf(sent -> sent.stream == old);
  }

  private void plan(long now) {
    if (wakeUp != null) {
      wakeUp.cancel(false);
      wakeUp = null;
    }
    long next = Long.MAX_VALUE;
    for (Entry entry : entries.values()) {
      next = Math.min(next, entry.dueNanos - now);
    }
    if (next != Long.MAX_VALUE) {
      next = Math.max(next, notBeforeNanos - now);
    }
    for (Sent sent : unanswered.values()) {
      if (sent.stream == stream) {
        next = Math.min(next, sent.sentAtNanos + sent.patienceNanos - now);
      }
    }
    if (next != Long.MAX_VALUE) {
      wakeUp = scheduler.schedule(this::run, Math.max(0, next), TimeUnit.NANOSECONDS);
    }
  }

  private void answered(KeepAliveResponse response) {
    Sent sent = unanswered.remove(response.getSequence());
    if (sent == null) {
      return;
    }
    failures = 0;
    for (LeaseRenewal renewal : response.getRenewalsList()) {
      Entry entry = entries.get(renewal.getLeaseId());
      if (entry == null) {
        continue;
      }
      if (renewal.getAlive()) {
        entry.lease.renewed(sent.sentAtNanos, ProtoRecords.duration(renewal.getTtl()));
      } else {
        entries.remove(renewal.getLeaseId());
        entry.lease.ended();
      }
    }
  }

  private void broke(Stream broken) {
    long now = time.nanoTime();
    if (broken == stream) {
      stream = null;
      makeDue(broken, now);
      avoided = broken.member();
      avoidedUntilNanos = now + MAX_BACKOFF_NANOS;
      long backoff = Math.min(MAX_BACKOFF_NANOS, MIN_BACKOFF_NANOS << Math.min(failures, 5));
      failures++;
      notBeforeNanos = now + backoff;
    }
    forget(broken);
    run();
  }

  private final class Stream extends MemberCall<KeepAliveRequest, KeepAliveResponse> {

    Stream(MemberChannel member) {
      super(channel, member, LeaseServiceGrpc.getKeepAliveMethod(), NO_TIMEOUT);
    }

    @Override
    void received(KeepAliveResponse message) {
      onScheduler(() -> answered(message));
    }

    @Override
    void ended(Failure failure) {
      onScheduler(() -> broke(this));
    }
  }
}

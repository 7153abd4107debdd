// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.metrics.LeaseMetrics;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Gathers the renewals of many callers for a short while into one replicated entry, so that the log
 * carries some entries per second however many leases there are. The commit of the entry proves
 * that this member still leads; nothing is answered before.
 */
final class KeepAliveBatcher {

  /** A renewal of a lease with less than this part of its TTL left does not wait for company. */
  private static final int URGENT_FRACTION = 3;

  private final KeepAliveWindow window;
  private final LeaseMetrics metrics;
  private final List<LoopInput.KeepAlive> callers = new ArrayList<>();
  private final List<Long> leaseIds = new ArrayList<>();

  /** Answers are given on another thread. */
  private final AtomicInteger underWay = new AtomicInteger();

  private long dueNanos = Long.MAX_VALUE;

  KeepAliveBatcher(KeepAliveWindow window, LeaseMetrics metrics) {
    this.window = window;
    this.metrics = metrics;
  }

  /**
   * @param clusterTimeMs the present one
   */
  void add(LoopInput.KeepAlive caller, MachineView view, long clusterTimeMs, long nowNanos) {
    long waitMs = window.maxMs();
    for (long leaseId : caller.leaseIds) {
      long ttlMs = view.leaseTtlMs(leaseId);
      if (ttlMs > 0) {
        boolean urgent = view.leaseDeadlineMs(leaseId) - clusterTimeMs < ttlMs / URGENT_FRACTION;
        waitMs = urgent ? 0 : Math.min(waitMs, ttlMs / window.ttlFraction());
      }
    }
    underWay.addAndGet(caller.leaseIds.size());
    callers.add(caller);
    leaseIds.addAll(caller.leaseIds);
    dueNanos = Math.min(dueNanos, nowNanos + waitMs * 1_000_000);
  }

  /** Renewals asked for and not yet answered. */
  int underWay() {
    return underWay.get();
  }

  /** When the gathered renewals must leave; Long.MAX_VALUE if there are none. */
  long dueNanos() {
    return dueNanos;
  }

  /** Whether an entry should take no more. */
  boolean isFull() {
    return leaseIds.size() >= window.maxLeases();
  }

  /** Hands the gathered renewals over. */
  Batch take() {
    Batch batch = new Batch(List.copyOf(leaseIds), List.copyOf(callers), underWay, metrics);
    reset();
    return batch;
  }

  void failAll(NodeException why, Replies replies) {
    underWay.addAndGet(-leaseIds.size());
    for (LoopInput.KeepAlive caller : callers) {
      replies.add(() -> caller.reject(why));
    }
    reset();
  }

  private void reset() {
    callers.clear();
    leaseIds.clear();
    dueNanos = Long.MAX_VALUE;
  }

  /**
   * The renewals of one entry, and whose they are: each caller's follow those of the one before.
   */
  record Batch(
      List<Long> leaseIds,
      List<LoopInput.KeepAlive> callers,
      AtomicInteger underWay,
      LeaseMetrics metrics)
      implements PendingReply {

    Command command() {
      return new Command.RenewLeases(leaseIds);
    }

    @Override
    public void complete(Answered<Outcome> answer) {
      underWay.addAndGet(-leaseIds.size());
      List<Outcome.Renewal> renewals = ((Outcome.LeasesRenewed) answer.value()).renewals();
      for (Outcome.Renewal renewal : renewals) {
        if (renewal.alive()) {
          metrics.renewed(renewal.slackMs());
        } else {
          metrics.renewedTooLate();
        }
      }
      int from = 0;
      for (LoopInput.KeepAlive caller : callers) {
        int to = from + caller.leaseIds.size();
        caller.future.complete(answer.with(renewals.subList(from, to)));
        from = to;
      }
    }

    @Override
    public void fail(NodeException why) {
      underWay.addAndGet(-leaseIds.size());
      callers.forEach(caller -> caller.reject(why));
    }
  }
}

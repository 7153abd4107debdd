// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.ApplyResult;
import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.CoordinatorMachine;
import dev.coordinator.server.machine.Event;
import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.metrics.NodeMetrics;
import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.EntryKind;
import dev.coordinator.server.wire.CommandCodec;
import java.util.List;

/**
 * Takes committed entries to the state machine, its answers to those who wait for them, and its
 * events to the watches.
 */
final class Applier {

  private CoordinatorMachine machine;
  private final ApplyResult result = new ApplyResult();
  private final PendingReplies pending;
  private final WatchHub watches;
  private final NodeMetrics metrics;

  /**
   * @param machine null to begin with nothing
   */
  Applier(
      CoordinatorMachine machine, PendingReplies pending, WatchHub watches, NodeMetrics metrics) {
    this.machine = machine == null ? new CoordinatorMachine() : machine;
    this.pending = pending;
    this.watches = watches;
    this.metrics = metrics;
  }

  MachineView view() {
    return machine.view();
  }

  CoordinatorMachine machine() {
    return machine;
  }

  /** Goes on from another state. What happened on the way to it, nobody here will know. */
  void install(CoordinatorMachine installed) {
    machine = installed;
    watches.restart(installed.view().appliedIndex());
  }

  /**
   * Applies one entry.
   *
   * @param committedNanos when it was found to be committed
   */
  void apply(Entry entry, Leadership leadership, long committedNanos) {
    result.clear();
    machine.apply(entry.index(), entry.clusterTimeMs(), command(entry), result);
    long proposedNanos = pending.applied(entry.index());
    if (proposedNanos != PendingReplies.NOBODY) {
      metrics.raft().committed(committedNanos - proposedNanos);
    }
    for (ApplyResult.Reply reply : result.replies) {
      reply(reply, leadership, committedNanos);
    }
    // Counted once in the cluster, and not again when the log is replayed.
    boolean counted = leadership.isLeader() && entry.term() == leadership.term();
    List<Event> events = result.events;
    for (int ordinal = 0; ordinal < events.size(); ordinal++) {
      Event event = events.get(ordinal);
      WatchEvent watched = WatchEvent.of(entry.index(), ordinal, event);
      if (watched != null) {
        watches.append(watched);
      }
      if (counted) {
        count(event);
      }
    }
  }

  private static Command command(Entry entry) {
    // Other kinds carry the time and nothing else, as a pulse does.
    return entry.kind() != EntryKind.COMMAND
        ? Command.Pulse.INSTANCE
        : CommandCodec.decode(entry.payload());
  }

  private void reply(ApplyResult.Reply reply, Leadership leadership, long nowNanos) {
    long sinceNanos =
        pending.complete(reply.index(), leadership.answer(reply.outcome(), machine.view()));
    if (sinceNanos == PendingReplies.NOBODY) {
      return;
    }
    String endOfWait = endOfWait(reply.outcome());
    if (endOfWait != null) {
      metrics.locks().waitEnded(endOfWait, nowNanos - sinceNanos);
    }
  }

  /** How a wait for a lock ended without it; null if it did not. */
  private static String endOfWait(Outcome outcome) {
    if (outcome instanceof Outcome.LockNotAcquired refused) {
      return refused.timedOut() ? "timeout" : "held";
    }
    if (outcome instanceof Outcome.WaitCancelled) {
      return "cancelled";
    }
    return outcome instanceof Outcome.LeaseEnded ? "lease_ended" : null;
  }

  private void count(Event event) {
    if (event instanceof Event.LockAcquired acquired) {
      metrics.locks().acquired(acquired.waitedMs());
    } else if (event instanceof Event.LockReleased released) {
      metrics.locks().released(released.cause().name(), released.heldMs());
    } else if (event instanceof Event.LeaseGranted) {
      metrics.leases().granted();
    } else if (event instanceof Event.LeaseEnded ended) {
      switch (ended.cause()) {
        case EXPIRED -> metrics.leases().expired();
        case REVOKED -> metrics.leases().revoked();
        case RELEASED -> metrics.leases().released();
      }
    }
  }
}

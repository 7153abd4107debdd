// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.machine.ApplyResult;
import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.Event;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.raft.Entry;
import java.util.HashMap;
import java.util.Map;

/**
 * When leases must end, reckoned without the machine: in the first entry that comes its TTL after
 * the last one that granted or renewed it, whatever leaders, pauses and snapshots there were.
 */
final class LeaseEnds {

  private static final long NEVER = Long.MAX_VALUE;

  private static final class Term {
    private final long ttlMs;
    private long endMs;

    Term(long ttlMs, long endMs) {
      this.ttlMs = ttlMs;
      this.endMs = endMs;
    }

    void beginAt(long timeMs) {
      endMs = timeMs + ttlMs;
    }
  }

  private final Map<Long, Term> living = new HashMap<>();

  /** Holds what an entry did against what was due, and takes it into account. */
  void applied(Entry entry, Command command, ApplyResult result) {
    long timeMs = entry.clusterTimeMs();
    for (Event event : result.events) {
      if (event instanceof Event.LeaseGranted granted) {
        // One that is made for a lock begins when it gets that.
        boolean begins = command instanceof Command.GrantLease;
        living.put(
            granted.leaseId(),
            new Term(granted.ttlMs(), begins ? timeMs + granted.ttlMs() : NEVER));
      } else if (event instanceof Event.LockAcquired acquired) {
        Term holder = living.get(acquired.leaseId());
        if (holder.endMs == NEVER) {
          holder.beginAt(timeMs);
        }
      } else if (event instanceof Event.LeaseEnded ended) {
        checkDue(entry, ended, living.remove(ended.leaseId()));
      }
    }
    for (ApplyResult.Reply reply : result.replies) {
      if (reply.outcome() instanceof Outcome.LeaseGranted granted) {
        living.get(granted.leaseId()).beginAt(timeMs);
      } else if (reply.outcome() instanceof Outcome.LeasesRenewed renewed) {
        renewed.renewals().forEach(renewal -> renewed(renewal, timeMs));
      }
    }
    living.forEach(
        (leaseId, term) -> {
          if (term.endMs <= timeMs) {
            throw new Violation(
                "lease %d of %d ms outlives %s by %d ms",
                leaseId, term.ttlMs, entry, timeMs - term.endMs);
          }
        });
  }

  private void renewed(Outcome.Renewal renewal, long timeMs) {
    Term term = living.get(renewal.leaseId());
    if (renewal.alive() != (term != null)) {
      throw new Violation(
          "the renewal of lease %d says that it is %s",
          renewal.leaseId(), renewal.alive() ? "alive" : "not alive");
    }
    if (term != null && term.endMs != NEVER) {
      term.beginAt(timeMs);
    }
  }

  private static void checkDue(Entry entry, Event.LeaseEnded ended, Term term) {
    if (ended.cause() == Event.Cause.EXPIRED && term.endMs > entry.clusterTimeMs()) {
      throw new Violation(
          "lease %d of %d ms ends with %s, %d ms early",
          ended.leaseId(), term.ttlMs, entry, term.endMs - entry.clusterTimeMs());
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.machine.ApplyResult;
import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.CoordinatorMachine;
import dev.coordinator.server.machine.Event;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.EntryKind;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.SnapshotMeta;
import dev.coordinator.server.wire.CommandCodec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What the cluster has promised so far: the one committed log and the state that follows from it.
 *
 * <p>Members report what they commit. The first report of an index fixes its entry for ever; a
 * member that later reports another one has lost an acknowledged operation. The log runs through a
 * machine of its own, whose events are checked against the promises on tokens and leases.
 */
final class Oracle {

  /**
   * Something that happened to a lock.
   *
   * @param ordinal its place among the events of its entry
   */
  record LockEvent(long revision, int ordinal, String lock, Event event) {}

  /** What the clocks of several leaders, which count milliseconds, may add up to. */
  private static final double ROUNDING_MS = 10;

  private final Schedule schedule;
  private final double clockDrift;
  private final WrittenEntries written;
  private final List<Entry> log = new ArrayList<>();

  /** For each entry of the log, a term by which it was committed. */
  private final List<Long> committedBy = new ArrayList<>();

  private final List<LockEvent> events = new ArrayList<>();
  private final Map<Long, NodeId> leaders = new HashMap<>();
  private final Map<Long, Long> ttlMs = new HashMap<>();
  private final Map<Long, Long> renewalSentNanos = new HashMap<>();
  private final LeaseEnds leaseEnds = new LeaseEnds();
  private final CoordinatorMachine machine = new CoordinatorMachine();
  private final ApplyResult result = new ApplyResult();
  private final Figures figures;
  private Membership membership;

  /** The highest one given so far, of any lock. */
  private long highestToken;

  /**
   * The least that cluster time was ahead of true time, in milliseconds; negative if it was late.
   */
  private double leastLeadMs = Double.MAX_VALUE;

  Oracle(Schedule schedule, WrittenEntries written, double clockDrift, Figures figures) {
    this.schedule = schedule;
    this.written = written;
    this.figures = figures;
    this.clockDrift = clockDrift;
  }

  long committed() {
    return log.size();
  }

  /** How many leases live after what was committed. */
  int leases() {
    return machine.view().leaseCount();
  }

  void bootstrap(Membership first) {
    membership = first;
  }

  /** The configuration that was committed last. */
  Membership membership() {
    return membership;
  }

  /** What happened to locks, in order. */
  List<LockEvent> events() {
    return events;
  }

  /** The place of the first event of a later revision. */
  int firstEventAfter(long revision) {
    int place = events.size();
    while (place > 0 && events.get(place - 1).revision() > revision) {
      place--;
    }
    return place;
  }

  /** The state that follows from what was committed. */
  String state() {
    return describe(machine);
  }

  static String describe(CoordinatorMachine machine) {
    StringBuilder text = new StringBuilder();
    machine.describe(text);
    return text.toString();
  }

  /**
   * Election safety: at most one leader in a term. Leader completeness: it has all that was
   * committed in earlier ones (§3.2).
   *
   * @param holds whether it has an entry, in its log or in its snapshot
   */
  void leads(NodeId member, long term, Predicate<LogPosition> holds) {
    figures.led();
    for (int i = log.size() - 1; i >= 0; i--) {
      if (committedBy.get(i) < term) {
        LogPosition last = log.get(i).position();
        if (!holds.test(last)) {
          throw new Violation(
              "member %s leads in term %d without %s, which was committed by term %d",
              member, term, last, committedBy.get(i));
        }
        break;
      }
    }
    NodeId other = leaders.putIfAbsent(term, member);
    if (other != null && !other.equals(member)) {
      throw new Violation("members %s and %s both led in term %d", other, member, term);
    }
  }

  /**
   * State machine safety (§3.2): no two members commit different entries at one index.
   *
   * @param term in which the member found that it is committed
   */
  void commits(NodeId member, long term, Entry entry) {
    if (entry.index() <= log.size()) {
      Entry promised = log.get((int) entry.index() - 1);
      if (!promised.equals(entry)) {
        throw new Violation(
            "member %s committed %s where the cluster had committed %s", member, entry, promised);
      }
      return;
    }
    if (entry.index() != log.size() + 1) {
      throw new Violation(
          "member %s committed %s, but only %d entries were committed before",
          member, entry, log.size());
    }
    checkNotAhead(entry);
    log.add(entry);
    committedBy.add(term);
    figures.committed();
    if (entry.kind() == EntryKind.CONFIGURATION) {
      membership = entry.membership();
    }
    Command command =
        entry.kind() == EntryKind.COMMAND
            ? CommandCodec.decode(entry.payload())
            : Command.Pulse.INSTANCE; // It carries nothing else but the time.
    result.clear();
    machine.apply(entry.index(), entry.clusterTimeMs(), command, result);
    for (ApplyResult.Reply reply : result.replies) {
      if (reply.outcome() instanceof Outcome.RequestOvertaken) {
        figures.overtaken();
      }
    }
    leaseEnds.applied(entry, command, result);
    checkGrants();
    for (int ordinal = 0; ordinal < result.events.size(); ordinal++) {
      Event event = result.events.get(ordinal);
      check(entry, event);
      if (event instanceof Event.LockAcquired acquired) {
        events.add(new LockEvent(entry.index(), ordinal, acquired.name(), event));
      } else if (event instanceof Event.LockReleased released) {
        events.add(new LockEvent(entry.index(), ordinal, released.name(), event));
      }
    }
  }

  /**
   * A token is higher than those of earlier entries, for any lock. No lock is given twice in an
   * entry, nor to a lease that the same entry ends.
   */
  private void checkGrants() {
    Set<Long> granted = new HashSet<>();
    Set<String> locks = new HashSet<>();
    long highestBefore = highestToken;
    for (Event event : result.events) {
      if (event instanceof Event.LockAcquired acquired) {
        granted.add(acquired.leaseId());
        if (acquired.token() <= highestBefore || !locks.add(acquired.name())) {
          throw new Violation(
              "lock %s: token %d was given after token %d",
              acquired.name(), acquired.token(), highestToken);
        }
        highestToken = Math.max(highestToken, acquired.token());
      } else if (event instanceof Event.LeaseEnded ended && granted.contains(ended.leaseId())) {
        throw new Violation("lease %d was given a lock as it ended", ended.leaseId());
      }
    }
  }

  /** A snapshot is of something that was committed. */
  void takes(NodeId member, SnapshotMeta snapshot) {
    if (snapshot.index() > log.size()
        || !log.get((int) snapshot.index() - 1).position().equals(snapshot.last())) {
      throw new Violation("member %s has a snapshot of %s", member, snapshot.last());
    }
  }

  private void check(Entry entry, Event event) {
    if (event instanceof Event.LeaseGranted granted) {
      ttlMs.put(granted.leaseId(), granted.ttlMs());
    } else if (event instanceof Event.LeaseEnded ended && ended.cause() == Event.Cause.EXPIRED) {
      checkNotEarly(entry, ended.leaseId());
    }
  }

  /** Cluster time passes no faster than true time, whoever leads: else leases would end early. */
  private void checkNotAhead(Entry entry) {
    double trueMs = written.firstNanos(entry) / 1e6;
    double leadMs = entry.clusterTimeMs() - trueMs * (1 + clockDrift);
    if (leadMs > leastLeadMs + ROUNDING_MS) {
      throw new Violation(
          "cluster time jumps ahead with %s, by %.0f ms", entry, leadMs - leastLeadMs);
    }
    leastLeadMs = Math.min(leastLeadMs, leadMs);
  }

  /** A lease lives for its TTL after the last renewal that its client was told of was sent. */
  private void checkNotEarly(Entry entry, long leaseId) {
    Long sentNanos = renewalSentNanos.get(leaseId);
    if (sentNanos == null) {
      return;
    }
    long livedNanos = schedule.nowNanos() - sentNanos;
    if (livedNanos < provenNanos(ttlMs.get(leaseId))) {
      throw new Violation(
          "lease %d of %d ms ended by %s %d ms after an acknowledged renewal was sent",
          leaseId, ttlMs.get(leaseId), entry, livedNanos / 1_000_000);
    }
  }

  /** How long a lease lives at least, whatever the clocks of members do within their limits. */
  long provenNanos(long ofTtlMs) {
    return (long) ((ofTtlMs * (1 - 2 * clockDrift) - 2) * 1_000_000);
  }

  /**
   * A client was told that its lease had been granted or renewed by a request sent at this time.
   */
  void renewalAcknowledged(long leaseId, long sentNanos) {
    renewalSentNanos.merge(leaseId, sentNanos, Math::max);
  }

  /** A client was told the outcome of a command: it must be the committed one. */
  void acknowledged(long index, byte[] payload) {
    if (index > log.size() || !Arrays.equals(log.get((int) index - 1).payload(), payload)) {
      throw new Violation("a command was acknowledged at index %d, but it is not there", index);
    }
  }

  /**
   * A client got a linearizable answer.
   *
   * @param committedBefore what was committed when it asked: more than anybody was told of by then
   */
  void readAnswered(long revision, long committedBefore) {
    figures.read();
    if (revision < committedBefore) {
      throw new Violation(
          "a read answered from revision %d, but revision %d was committed before it began",
          revision, committedBefore);
    }
  }

  /**
   * A client got an answer that may be old.
   *
   * @param token of the holder, 0 if the lock was free
   */
  void staleReadAnswered(String lock, long revision, long token) {
    figures.read();
    long expected = 0;
    for (LockEvent event : events.subList(0, firstEventAfter(revision))) {
      if (event.lock().equals(lock)) {
        expected = event.event() instanceof Event.LockAcquired acquired ? acquired.token() : 0;
      }
    }
    if (revision > log.size() || token != expected) {
      throw new Violation(
          "a stale read told of token %d of lock %s at revision %d, where it had token %d",
          token, lock, revision, expected);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static dev.coordinator.server.raft.RaftInvariantViolation.invariant;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/**
 * The log of one member: the entries after its base, in memory, and how far each of them has come.
 *
 * <p>The newest snapshot stands for everything up to its last entry (§5.1). The base lies there or
 * before: some entries stay for followers that are a little behind.
 *
 * <p>Invariant: {@code base <= snapshot <= applied <= handedOut <= committed <= last} and {@code
 * durable <= last}. {@code committed} may pass {@code durable}, because a quorum need not include
 * this member. So may {@code snapshot}: what it has counts as durable only once the log has it too,
 * which takes its place should it turn out to be damaged. And so may {@code base}, after a snapshot
 * has replaced the log, until the log on disk begins there: from then on the member would miss a
 * snapshot that it lost, before that it would start with the log from before.
 *
 * <p>Durability is acknowledged by batch number, not by index: an index may be written twice, with
 * an entry and with the one that replaced it, and the end of the first write says nothing of the
 * second.
 */
final class RaftLog {

  private static final int MAX_HANDED_OUT = 4_096;

  /** A batch that is being written, and up to where the log is durable once it ends. */
  private static final class Write {
    final long batch;
    long last;

    Write(long batch, long last) {
      this.batch = batch;
      this.last = last;
    }
  }

  private final Configurations configurations;
  private final ArrayList<Entry> entries;
  private final Deque<Write> writes = new ArrayDeque<>();

  /** The place before the first entry. */
  private LogPosition base;

  /** The newest durable one, or null. */
  private SnapshotMeta snapshot;

  private long applied;
  private long handedOut;
  private long committed;
  private long durable;

  /** The first index that no batch carries yet in its present form. */
  private long unwritten;

  /** No batch carries the present base yet, which replaced all entries that were written before. */
  private boolean baseUnwritten;

  /**
   * Restores the log from disk: everything in it is durable, and nothing is known to be committed
   * but what the snapshot holds.
   *
   * <p>A snapshot becomes durable on its own, and may be ahead of the log after a crash. Then it
   * replaces the log, as it was about to do; nothing is durable before that is.
   */
  RaftLog(RestoredState restored) {
    configurations = Configurations.of(restored);
    base = restored.base();
    entries = new ArrayList<>(restored.entries());
    snapshot = restored.snapshot();
    LogPosition previous = base;
    for (Entry entry : entries) {
      invariant(entry.index() == previous.index() + 1, "entry %s follows %s", entry, previous);
      invariant(entry.term() >= previous.term(), "entry %s follows %s", entry, previous);
      previous = entry.position();
    }
    invariant(base.index() <= snapshotIndex(), "the log begins after %s, without a snapshot", base);
    if (snapshot != null && !holds(snapshot.last())) {
      entries.clear();
      base = snapshot.last();
      baseUnwritten = true;
    }
    for (Entry entry : entries) {
      configurations.appended(entry);
    }
    committed = snapshotIndex();
    handedOut = committed;
    applied = committed;
    durable = baseUnwritten ? 0 : last();
    unwritten = last() + 1;
  }

  /** The place before the first entry that it still has. */
  LogPosition base() {
    return base;
  }

  /** The newest snapshot, or null. */
  SnapshotMeta snapshot() {
    return snapshot;
  }

  /** The last entry of the newest snapshot, 0 if there is none. */
  long snapshotIndex() {
    return snapshot == null ? 0 : snapshot.index();
  }

  /** The configurations in it. */
  Configurations configurations() {
    return configurations;
  }

  long last() {
    return base.index() + entries.size();
  }

  long lastTerm() {
    return termAt(last());
  }

  long durable() {
    return durable;
  }

  long committed() {
    return committed;
  }

  long applied() {
    return applied;
  }

  /** The term of the entry at {@code index}; 0 for index 0, where every log agrees (§3.5). */
  long termAt(long index) {
    return index == base.index() ? base.term() : entry(index).term();
  }

  /** Whether it has this very entry, so that it agrees with every log that has it too. */
  boolean holds(LogPosition position) {
    return position.index() >= base.index()
        && position.index() <= last()
        && termAt(position.index()) == position.term();
  }

  Entry entry(long index) {
    invariant(index > base.index(), "no entry at %d: they begin after %d", index, base.index());
    invariant(index <= last(), "no entry at %d: they end at %d", index, last());
    return entries.get(place(index));
  }

  private int place(long index) {
    return (int) (index - base.index() - 1);
  }

  /** The stamp of the last entry, 0 if there was none ever. */
  long lastStampMs() {
    if (entries.isEmpty()) {
      // Then the base is where the snapshot ends.
      return snapshot == null ? 0 : snapshot.clusterTimeMs();
    }
    return entries.get(entries.size() - 1).clusterTimeMs();
  }

  /**
   * The smallest index after the base whose entry has this term or a later one; after the last if
   * there is none.
   */
  long firstIndexSinceTerm(long term) {
    long low = base.index() + 1;
    long high = last() + 1;
    while (low < high) {
      long middle = (low + high) >>> 1;
      if (termAt(middle) >= term) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  /**
   * The entries from {@code from} on that fit into one message: {@code maxEntries} at most, and
   * {@code maxBytes} of payload unless the first alone is larger.
   */
  List<Entry> slice(long from, int maxEntries, int maxBytes) {
    int start = place(from);
    int end = start;
    long bytes = 0;
    while (end < entries.size() && end - start < maxEntries) {
      bytes += entries.get(end).payload().length;
      if (bytes > maxBytes && end > start) {
        break;
      }
      end++;
    }
    return List.copyOf(entries.subList(start, end));
  }

  void append(Entry entry) {
    invariant(entry.index() == last() + 1, "%d appended after %d", entry.index(), last());
    invariant(entry.term() >= lastTerm(), "term %d after %d", entry.term(), lastTerm());
    entries.add(entry);
    configurations.appended(entry);
  }

  /**
   * Drops the entry at {@code from} and everything after it; writes of these are no longer counted.
   */
  void truncate(long from) {
    invariant(from > committed, "truncation at %d of what is committed up to %d", from, committed);
    entries.subList(place(from), entries.size()).clear();
    configurations.truncatedFrom(from);
    durable = Math.min(durable, from - 1);
    unwritten = Math.min(unwritten, from);
    for (Write write : writes) {
      write.last = Math.min(write.last, from - 1);
    }
  }

  /** A snapshot of what is applied, to which a durable state belongs once that is saved. */
  SnapshotMeta snapshotOfApplied() {
    if (applied == 0) {
      throw new IllegalStateException("nothing is applied");
    }
    if (applied == snapshotIndex()) {
      return snapshot;
    }
    Entry last = entry(applied);
    Configurations.Configuration present = configurations.asOf(applied);
    return new SnapshotMeta(
        last.position(), last.clusterTimeMs(), present.membership(), present.index());
  }

  /** A snapshot of this member's own state is durable. */
  void snapshotTaken(SnapshotMeta taken) {
    invariant(taken.index() <= applied, "snapshot %s of %d applied", taken.last(), applied);
    invariant(holds(taken.last()), "snapshot %s is of another log", taken.last());
    snapshot = taken;
  }

  /**
   * A snapshot of the leader replaces the state. If the log has the very entry that the snapshot
   * ends with, what follows stays (§5.1); if not, all of it goes.
   *
   * @return whether the log was discarded
   */
  boolean install(SnapshotMeta installed) {
    long index = installed.index();
    invariant(
        index > committed, "snapshot %s in spite of %d committed", installed.last(), committed);
    boolean discards = !holds(installed.last());
    configurations.installed(installed, !discards);
    snapshot = installed;
    if (discards) {
      entries.clear();
      base = installed.last();
      baseUnwritten = true;
      unwritten = index + 1;
      // Of the log from before, only what was committed is surely in the leader's, too.
      durable = Math.min(durable, committed);
      for (Write write : writes) {
        write.last = Math.min(write.last, committed);
      }
    }
    committed = index;
    handedOut = index;
    applied = index;
    return discards;
  }

  /**
   * Drops the entries up to {@code index} as far as the snapshot has them, and the log on disk.
   *
   * @return whether there were any
   */
  boolean compactTo(long index) {
    long end = Math.min(index, Math.min(snapshotIndex(), durable));
    if (end <= base.index()) {
      return false;
    }
    LogPosition newBase = new LogPosition(end, termAt(end));
    entries.subList(0, place(end) + 1).clear();
    base = newBase;
    configurations.compacted(end);
    return true;
  }

  boolean hasUnwritten() {
    return baseUnwritten || unwritten <= last();
  }

  /** Hands over where the log begins anew if that is to be written with the next batch, or null. */
  LogPosition writeBase() {
    LogPosition written = baseUnwritten ? base : null;
    baseUnwritten = false;
    return written;
  }

  /** Hands over the entries that are to be written with this batch. */
  List<Entry> write(long batch) {
    List<Entry> batchEntries = slice(unwritten, Integer.MAX_VALUE, Integer.MAX_VALUE);
    unwritten += batchEntries.size();
    writes.addLast(new Write(batch, last()));
    return batchEntries;
  }

  /** The batch of this number, and so every earlier one, is durable. */
  void persisted(long batch) {
    for (Iterator<Write> i = writes.iterator(); i.hasNext(); ) {
      Write write = i.next();
      if (write.batch > batch) {
        break;
      }
      durable = Math.max(durable, write.last);
      i.remove();
    }
    invariant(durable <= last(), "durable %d beyond last %d", durable, last());
  }

  /** Moves {@code committed} forward; never back. */
  void commitTo(long index) {
    invariant(index >= committed, "committed would fall from %d to %d", committed, index);
    invariant(index <= last(), "committed %d beyond last %d", index, last());
    committed = index;
  }

  /**
   * Adds committed entries that were not handed out before, up to a number that leaves the member
   * time to be heard: after a restart the whole log is committed at once.
   */
  void handOutCommitted(List<Entry> target) {
    long end = Math.min(committed, handedOut + MAX_HANDED_OUT);
    while (handedOut < end) {
      handedOut++;
      target.add(entry(handedOut));
    }
  }

  /** Whether the next call has more. */
  boolean hasMoreToHandOut() {
    return handedOut < committed;
  }

  void appliedTo(long index) {
    invariant(index >= applied, "applied would fall from %d to %d", applied, index);
    invariant(index <= handedOut, "applied %d beyond %d handed out", index, handedOut);
    applied = index;
  }
}

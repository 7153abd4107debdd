// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static dev.coordinator.server.raft.RaftInvariantViolation.invariant;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/**
 * The log of one member: the entries since the snapshot, in memory, and how far each of them has
 * come.
 *
 * <p>Invariant: {@code snapshot <= applied <= handedOut <= committed <= last} and {@code durable <=
 * last}. {@code committed} may pass {@code durable}, because a quorum need not include this member.
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
  private final long snapshot = 0;
  private final long snapshotTerm = 0;
  private long applied;
  private long handedOut;
  private long committed;
  private long durable;

  /** The first index that no batch carries yet in its present form. */
  private long unwritten;

  /** Restores the log from disk: everything in it is durable, nothing is known to be committed. */
  RaftLog(RestoredState restored) {
    configurations = Configurations.of(restored);
    entries = new ArrayList<>(restored.entries());
    long index = snapshot;
    long term = snapshotTerm;
    for (Entry entry : entries) {
      invariant(entry.index() == index + 1, "entry %s follows index %d", entry, index);
      invariant(entry.term() >= term, "entry %s follows term %d", entry, term);
      configurations.appended(entry);
      index = entry.index();
      term = entry.term();
    }
    durable = last();
    unwritten = last() + 1;
  }

  /** The configurations in it. */
  Configurations configurations() {
    return configurations;
  }

  long last() {
    return snapshot + entries.size();
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
    return index == snapshot ? snapshotTerm : entry(index).term();
  }

  Entry entry(long index) {
    invariant(index > snapshot && index <= last(), "no entry at %d, the last is %d", index, last());
    return entries.get((int) (index - snapshot - 1));
  }

  /** The stamp of the last entry, 0 if there is none. */
  long lastStampMs() {
    return entries.isEmpty() ? 0 : entries.get(entries.size() - 1).clusterTimeMs();
  }

  /**
   * The smallest index whose entry has this term or a later one; after the last if there is none.
   */
  long firstIndexSinceTerm(long term) {
    long low = snapshot + 1;
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
    int start = (int) (from - snapshot - 1);
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
    entries.subList((int) (from - snapshot - 1), entries.size()).clear();
    configurations.truncatedFrom(from);
    durable = Math.min(durable, from - 1);
    unwritten = Math.min(unwritten, from);
    for (Write write : writes) {
      write.last = Math.min(write.last, from - 1);
    }
  }

  boolean hasUnwritten() {
    return unwritten <= last();
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

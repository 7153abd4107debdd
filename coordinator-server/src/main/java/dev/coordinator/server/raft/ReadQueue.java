// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.ObjLongConsumer;

/**
 * The reads of one leader, and those that followers ask for, that wait for proof that it still
 * leads (§6.4).
 *
 * <p>A read joins the first round of heartbeats that begins after it. Rounds are numbered, and one
 * may begin while older ones are on their way: only answers to its own round or a later one prove
 * that the leader led when the read came.
 */
final class ReadQueue {

  /**
   * @param asker whose read it is: the leader itself, or a follower
   * @param id the read, or the request of the follower
   * @param sinceMs when it came
   */
  record Read(NodeId asker, long id, long sinceMs) {}

  private record Round(long number, long index, List<Read> reads) {}

  private final Deque<Round> rounds = new ArrayDeque<>();
  private List<Read> waiting = new ArrayList<>();

  void add(Read read) {
    waiting.add(read);
  }

  /** Whether reads wait for a round to begin. */
  boolean isWaiting() {
    return !waiting.isEmpty();
  }

  /** Forgets those of followers that came before this time, and wait for a round to begin. */
  void forgetForwarded(NodeId self, long beforeMs) {
    waiting.removeIf(read -> !read.asker().equals(self) && read.sinceMs() < beforeMs);
  }

  /** Whether a round is under way. */
  boolean isConfirming() {
    return !rounds.isEmpty();
  }

  /** Begins a round for the reads that wait; they may be answered at {@code index} once it ends. */
  void begin(long round, long index) {
    rounds.addLast(new Round(round, index, waiting));
    waiting = new ArrayList<>();
  }

  /** Takes out the reads of every round up to this one, each with its index. */
  void confirm(long round, ObjLongConsumer<Read> safe) {
    while (!rounds.isEmpty() && rounds.peekFirst().number() <= round) {
      Round confirmed = rounds.removeFirst();
      for (Read read : confirmed.reads()) {
        safe.accept(read, confirmed.index());
      }
    }
  }

  /** Takes out all reads. */
  List<Read> takeAll() {
    List<Read> all = new ArrayList<>();
    for (Round round : rounds) {
      all.addAll(round.reads());
    }
    all.addAll(waiting);
    rounds.clear();
    waiting = new ArrayList<>();
    return all;
  }
}

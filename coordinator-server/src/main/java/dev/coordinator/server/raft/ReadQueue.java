// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The reads of one leader that wait for proof that it still leads (§6.4).
 *
 * <p>A read joins the first round of heartbeats that begins after it. Rounds are numbered, and one
 * may begin while older ones are on their way: only answers to its own round or a later one prove
 * that the leader led when the read came.
 */
final class ReadQueue {

  private record Round(long number, long index, List<Long> ids) {}

  private final Deque<Round> rounds = new ArrayDeque<>();
  private List<Long> waiting = new ArrayList<>();

  void add(long id) {
    waiting.add(id);
  }

  /** Whether reads wait for a round to begin. */
  boolean isWaiting() {
    return !waiting.isEmpty();
  }

  /** Begins a round for the reads that wait; they may be answered at {@code index} once it ends. */
  void begin(long round, long index) {
    rounds.addLast(new Round(round, index, waiting));
    waiting = new ArrayList<>();
  }

  /** Takes out the reads of every round up to this one. */
  void confirm(long round, List<Outbox.SafeRead> safe) {
    while (!rounds.isEmpty() && rounds.peekFirst().number() <= round) {
      Round confirmed = rounds.removeFirst();
      for (long id : confirmed.ids()) {
        safe.add(new Outbox.SafeRead(id, confirmed.index()));
      }
    }
  }

  /** Takes out all reads. */
  List<Long> takeAll() {
    List<Long> all = new ArrayList<>();
    for (Round round : rounds) {
      all.addAll(round.ids());
    }
    all.addAll(waiting);
    rounds.clear();
    waiting = new ArrayList<>();
    return all;
  }
}

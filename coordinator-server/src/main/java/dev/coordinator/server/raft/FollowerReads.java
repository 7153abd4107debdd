// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/**
 * The reads of a follower that wait for its leader to say from which index on they are safe (§6.4).
 * Those that come together ask together.
 */
final class FollowerReads {

  private static final long NEVER = Long.MAX_VALUE;

  private record Asked(long request, long deadlineMs, List<Long> ids) {}

  private final Deque<Asked> asked = new ArrayDeque<>();
  private List<Long> waiting = new ArrayList<>();

  /** When the first of those that wait counts as lost. */
  private long waitingUntilMs = NEVER;

  /** Deadlines never fall. */
  void add(long id, long deadlineMs) {
    if (waiting.isEmpty()) {
      waitingUntilMs = deadlineMs;
    }
    waiting.add(id);
  }

  /** Whether reads wait for a question to be asked. */
  boolean isWaiting() {
    return !waiting.isEmpty();
  }

  /** Those that wait are asked for with this request; deadlines never fall. */
  void asked(long request, long deadlineMs) {
    asked.addLast(new Asked(request, deadlineMs, waiting));
    takeWaiting();
  }

  private List<Long> takeWaiting() {
    List<Long> taken = waiting;
    waiting = new ArrayList<>();
    waitingUntilMs = NEVER;
    return taken;
  }

  /** Takes out the reads of a request; none if it is not known. */
  List<Long> take(long request) {
    for (Iterator<Asked> i = asked.iterator(); i.hasNext(); ) {
      Asked one = i.next();
      if (one.request() == request) {
        i.remove();
        return one.ids();
      }
    }
    return List.of();
  }

  /** When the next request, or what could not be asked for, counts as lost. */
  long deadlineMs() {
    return Math.min(waitingUntilMs, asked.isEmpty() ? NEVER : asked.peekFirst().deadlineMs());
  }

  /** Takes out the reads that count as lost. */
  List<Long> takeLost(long nowMs) {
    List<Long> lost = new ArrayList<>();
    while (!asked.isEmpty() && asked.peekFirst().deadlineMs() <= nowMs) {
      lost.addAll(asked.removeFirst().ids());
    }
    if (waitingUntilMs <= nowMs) {
      lost.addAll(takeWaiting());
    }
    return lost;
  }

  /** Takes out all reads. */
  List<Long> takeAll() {
    return takeLost(NEVER);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.Outcome;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Who waits for the outcome of which entry. Filled when an entry is proposed; emptied by applying
 * it, or a later one that ends its wait, or by the loss of leadership.
 */
final class PendingReplies {

  /** Returned in place of a moment when nobody waits. */
  static final long NOBODY = Long.MIN_VALUE;

  /**
   * One that waits, since when, and whether its entry is applied: then only a later one answers.
   */
  private static final class Filed {
    final PendingReply reply;
    final long sinceNanos;
    boolean applied;

    Filed(PendingReply reply, long sinceNanos) {
      this.reply = reply;
      this.sinceNanos = sinceNanos;
    }
  }

  /** By index, in rising order, because they are filed in that order. */
  private final Map<Long, Filed> byIndex = new LinkedHashMap<>();

  private final Replies replies;
  private int waiting;

  PendingReplies(Replies replies) {
    this.replies = replies;
  }

  void file(long index, PendingReply reply, long nowNanos) {
    byIndex.put(index, new Filed(reply, nowNanos));
  }

  /** Answers the entry at {@code index}. Returns since when its caller waited, or NOBODY. */
  long complete(long index, Answered<Outcome> answer) {
    Filed filed = byIndex.remove(index);
    if (filed == null) {
      return NOBODY;
    }
    if (filed.applied) {
      waiting--;
    }
    replies.add(() -> filed.reply.complete(answer));
    return filed.sinceNanos;
  }

  /** Notes that an entry was applied, before its reply. Returns as {@link #complete}. */
  long applied(long index) {
    Filed filed = byIndex.get(index);
    if (filed == null) {
      return NOBODY;
    }
    filed.applied = true;
    waiting++;
    return filed.sinceNanos;
  }

  void failAll(NodeException why) {
    for (Filed filed : byIndex.values()) {
      replies.add(() -> filed.reply.fail(why));
    }
    byIndex.clear();
    waiting = 0;
  }

  /** Whether this call waits there, and not another one that got the index later. */
  boolean isPending(long index, PendingReply reply) {
    Filed filed = byIndex.get(index);
    return filed != null && filed.reply == reply;
  }

  /** Entries that are not yet applied: waiters in a lock's queue do not count. */
  int unapplied() {
    return byIndex.size() - waiting;
  }
}

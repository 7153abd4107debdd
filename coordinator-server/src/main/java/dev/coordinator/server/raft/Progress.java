// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static dev.coordinator.server.raft.RaftInvariantViolation.invariant;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What a leader knows of one follower, and what it has sent it.
 *
 * <p>While it <em>probes</em>, the leader does not know where the logs agree: it sends one message
 * and waits for the answer. While it <em>replicates</em>, it takes for granted that what it sent
 * arrives, and sends up to a window of batches ahead (§10.2.1). A rejection, silence or a broken
 * connection leads back to probing, so a lost message costs a round trip and not the follower.
 *
 * <p>Invariant: {@code match < next}.
 */
final class Progress {

  private final NodeId member;

  private boolean replicating;

  /** A probe with entries is on its way. */
  private boolean probeSent;

  /** The last index that the follower is known to hold durably and in agreement. */
  private long match;

  /** The next index to send. */
  private long next;

  /** The last index of each batch on its way, oldest first. */
  private final Deque<Long> inFlight = new ArrayDeque<>();

  private long lastHeardMs;
  private long round;

  /** The newest commit index that a message told the follower. */
  private long toldCommitted;

  Progress(NodeId member, long next, long nowMs) {
    this.member = member;
    this.next = next;
    this.lastHeardMs = nowMs;
  }

  NodeId member() {
    return member;
  }

  boolean isReplicating() {
    return replicating;
  }

  long match() {
    return match;
  }

  long next() {
    return next;
  }

  long lastHeardMs() {
    return lastHeardMs;
  }

  /** The latest round of confirming its leadership in which the follower answered. */
  long round() {
    return round;
  }

  long toldCommitted() {
    return toldCommitted;
  }

  /** Whether another batch may be sent. */
  boolean hasRoom(int maxInFlight) {
    return replicating ? inFlight.size() < maxInFlight : !probeSent;
  }

  /** Entries up to {@code last} were sent. */
  void sent(long last) {
    if (replicating) {
      inFlight.addLast(last);
      next = last + 1;
    } else {
      probeSent = true;
    }
  }

  void told(long committed) {
    toldCommitted = Math.max(toldCommitted, committed);
  }

  void heard(long nowMs, long answeredRound) {
    lastHeardMs = nowMs;
    round = Math.max(round, answeredRound);
  }

  /** The follower agreed, and holds everything up to {@code index} durably. */
  void agreed(long index) {
    match = Math.max(match, index);
    next = Math.max(next, match + 1);
    if (!replicating) {
      replicating = true;
      probeSent = false;
    }
    while (!inFlight.isEmpty() && inFlight.peekFirst() <= match) {
      inFlight.removeFirst();
    }
  }

  /**
   * Whether a refusal of this {@code prevLogIndex} tells something: one that contradicts what the
   * follower has confirmed, or answers an older probe, is a late message.
   */
  boolean isNews(long rejectedIndex) {
    return replicating
        ? rejectedIndex > match && rejectedIndex < next
        : rejectedIndex == next - 1 && rejectedIndex > match;
  }

  /** Starts to probe at {@code index}, or behind what is confirmed if that is later. */
  void probe(long index) {
    replicating = false;
    probeSent = false;
    inFlight.clear();
    next = Math.max(index, match + 1);
    invariant(match < next, "match %d not below next %d", match, next);
  }
}

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
 * connection leads back to probing, so a lost message costs a round trip and not the follower. To a
 * follower that needs entries which are gone it sends a <em>snapshot</em> (§5.1), one part after
 * the other: the follower tells where to go on, so one that is lost or stops midway goes on where
 * it was.
 *
 * <p>Invariant: {@code match < next}.
 */
final class Progress {

  private static final int MAX_CHUNK_DOUBLINGS = 4;

  private enum Phase {
    PROBE,
    REPLICATE,
    SNAPSHOT
  }

  private final NodeId member;

  private Phase phase = Phase.PROBE;

  /** A probe with entries is on its way. */
  private boolean probeSent;

  /** The last index that the follower is known to hold durably and in agreement. */
  private long match;

  /** The next index to send. */
  private long next;

  /** The last index of each batch on its way, oldest first. */
  private final Deque<Long> inFlight = new ArrayDeque<>();

  /** The one that is sent, and what part of it was asked for last; null in other phases. */
  private SnapshotMeta snapshot;

  private long offset;

  /** When that part was asked for, and how often without an answer. */
  private long chunkAtMs;

  private int chunkRepeats;

  private boolean owesChunk;

  /** It was sent a snapshot, and has not come since to where the log begins. */
  private boolean catchingUp;

  /** How many newer ones were taken meanwhile. */
  private int newerSnapshots;

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
    return phase == Phase.REPLICATE;
  }

  /** The snapshot that is sent, or null if entries are. */
  SnapshotMeta snapshot() {
    return snapshot;
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

  /**
   * Whether it has agreed with the leader, and was heard since. That it counts as heard when the
   * leader begins is only a favour.
   */
  boolean isAnswering(long sinceMs) {
    return match > 0 && lastHeardMs > sinceMs;
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
    return switch (phase) {
      case PROBE -> !probeSent;
      case REPLICATE -> inFlight.size() < maxInFlight;
      case SNAPSHOT -> false;
    };
  }

  /** Entries up to {@code last} were sent. */
  void sent(long last) {
    if (phase == Phase.REPLICATE) {
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

  /** The follower holds everything up to {@code index} durably, and in agreement. */
  void matches(long index) {
    match = Math.max(match, index);
    next = Math.max(next, match + 1);
    while (!inFlight.isEmpty() && inFlight.peekFirst() <= match) {
      inFlight.removeFirst();
    }
  }

  /** It is known where the logs agree: from here on entries are sent ahead. */
  void replicate() {
    if (phase != Phase.REPLICATE) {
      enter(Phase.REPLICATE);
    }
  }

  /**
   * Whether a refusal of this {@code prevLogIndex} tells something: one that contradicts what the
   * follower has confirmed, or answers an older probe, is a late message.
   */
  boolean isNews(long rejectedIndex) {
    return switch (phase) {
      case PROBE -> rejectedIndex == next - 1 && rejectedIndex > match;
      case REPLICATE -> rejectedIndex > match && rejectedIndex < next;
      case SNAPSHOT -> false;
    };
  }

  /** Starts to probe at {@code index}, or behind what is confirmed if that is later. */
  void probe(long index) {
    enter(Phase.PROBE);
    next = Math.max(index, match + 1);
    invariant(match < next, "match %d not below next %d", match, next);
  }

  /** Starts to send a snapshot, from its beginning unless the follower says otherwise. */
  void install(SnapshotMeta newest) {
    enter(Phase.SNAPSHOT);
    next = match + 1;
    snapshot = newest;
    owesChunk = true;
    catchingUp = true;
    newerSnapshots = 0;
  }

  /** Up to where it has the log, or will have once the snapshot that it is sent has arrived. */
  long hasOrGets() {
    return snapshot == null ? match : Math.max(match, snapshot.index());
  }

  /**
   * Asked whenever a newer snapshot was taken: whether it catches up, would lack entries if the log
   * began behind {@code index}, and has not taken too long.
   *
   * @param maxNewerSnapshots after so many it has taken too long
   */
  boolean lacksEntriesUpTo(long index, int maxNewerSnapshots) {
    newerSnapshots++;
    catchingUp &= match < index && newerSnapshots <= maxNewerSnapshots;
    return catchingUp && hasOrGets() < index;
  }

  private void enter(Phase newPhase) {
    phase = newPhase;
    probeSent = false;
    inFlight.clear();
    snapshot = null;
    offset = 0;
    owesChunk = false;
    chunkRepeats = 0;
  }

  /**
   * The follower has the snapshot up to this offset. Of two equal answers one says nothing new, so
   * a part that arrives twice does not double what follows.
   */
  void storedUpTo(long nextOffset) {
    if (nextOffset != offset) {
      offset = nextOffset;
      owesChunk = true;
      chunkRepeats = 0;
    }
  }

  /**
   * The part that was asked for last, or its answer, was likely lost if no answer came for so long;
   * after each repetition twice as long, since on a slow way they keep each other from arriving.
   */
  void repeatChunk(long nowMs, long resendMs) {
    long silenceMs = resendMs << Math.min(chunkRepeats, MAX_CHUNK_DOUBLINGS);
    if (snapshot != null && !owesChunk && nowMs - chunkAtMs >= silenceMs) {
      owesChunk = true;
      chunkRepeats++;
    }
  }

  /** The way to the follower broke: it may come back at once. */
  void repeatChunkSoon() {
    chunkRepeats = 0;
  }

  boolean owesChunk() {
    return owesChunk;
  }

  /** Where the part begins that is asked for now. */
  long askChunk(long nowMs) {
    owesChunk = false;
    chunkAtMs = nowMs;
    return offset;
  }
}

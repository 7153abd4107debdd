// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.List;
import java.util.random.RandomGenerator;

/**
 * The Raft protocol of one cluster member, as an object without threads, clocks or I/O.
 *
 * <p>Inputs are method calls that carry the current time; outputs gather until {@link #drainTo}
 * hands them to the caller. The same inputs always give the same outputs, so a run can be recorded,
 * replayed and simulated. Section numbers (§) refer to Ongaro's dissertation.
 *
 * <p>Callers keep three promises:
 *
 * <ol>
 *   <li>one thread calls this object;
 *   <li>write batches become durable in the order they were drained, and each is reported once to
 *       {@link #persisted};
 *   <li>{@link Outbox#messagesAfterPersist} leave this member only after that report.
 * </ol>
 */
public final class RaftCore {

  /**
   * Restores a member from what its log held.
   *
   * @param entries the whole log, consecutive from index 1
   * @param random draws election timeouts and jitter
   */
  public RaftCore(
      RaftConfig config,
      NodeId self,
      Membership membership,
      HardState hardState,
      List<Entry> entries,
      RandomGenerator random,
      RaftTrace trace,
      long nowMs) {
    throw new UnsupportedOperationException();
  }

  /** Takes a message of a peer. Those of strangers or for others are ignored. */
  public void receive(RaftMessage message, long nowMs) {
    throw new UnsupportedOperationException();
  }

  public boolean isLeader() {
    throw new UnsupportedOperationException();
  }

  /**
   * Appends a command to the log. Only a leader may be asked.
   *
   * @return the index of its entry
   */
  public long propose(byte[] payload, long nowMs) {
    throw new UnsupportedOperationException();
  }

  /**
   * Asks for a linearizable read (§6.4); {@link Outbox#safeReads} or {@link Outbox#failedReads}
   * answers. Only a leader may be asked.
   */
  public void read(long id, long nowMs) {
    throw new UnsupportedOperationException();
  }

  /** Lets time pass: timeouts, heartbeats. Calling it early or often does no harm. */
  public void tick(long nowMs) {
    throw new UnsupportedOperationException();
  }

  /** Reports that the write batch of this number, and so every earlier one, is durable. */
  public void persisted(long batch, long nowMs) {
    throw new UnsupportedOperationException();
  }

  /** Reports that the state machine has applied everything up to {@code index}. */
  public void applied(long index) {
    throw new UnsupportedOperationException();
  }

  /**
   * Reports that the connection to a peer broke. If it is the leader, a pre-vote follows at once
   * instead of after a timeout; members that still hear the leader refuse it.
   */
  public void disconnected(NodeId peer, long nowMs) {
    throw new UnsupportedOperationException();
  }

  /** Moves the gathered effects into {@code outbox}, which is cleared first. */
  public void drainTo(Outbox outbox) {
    throw new UnsupportedOperationException();
  }

  /**
   * The cluster time at {@code nowMs}, which never falls and never runs faster than the clock of
   * the inputs. On a leader it is the stamp that a proposal would get; on others, the last stamp
   * seen.
   */
  public long clusterTimeMs(long nowMs) {
    throw new UnsupportedOperationException();
  }

  public RaftStatus status() {
    throw new UnsupportedOperationException();
  }
}

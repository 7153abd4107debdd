// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/** A member that stands for election in its term (§3.4). */
final class Candidate implements Role {

  private final Tally tally;
  private long timeoutAtMs;
  private boolean begun;

  Candidate(Tally tally, long timeoutAtMs) {
    this.tally = tally;
    this.timeoutAtMs = timeoutAtMs;
  }

  @Override
  public RoleKind kind() {
    return RoleKind.CANDIDATE;
  }

  @Override
  public NodeId leader() {
    return NodeId.NONE;
  }

  @Override
  public long wakeupMs() {
    return timeoutAtMs;
  }

  Tally tally() {
    return tally;
  }

  /**
   * Whether its vote for itself is durable and the requests have left. Only then does its time run:
   * if a new term began with each timeout, a slow disk would never let an election end.
   */
  boolean hasBegun() {
    return begun;
  }

  void begin(long newTimeoutAtMs) {
    begun = true;
    timeoutAtMs = newTimeoutAtMs;
  }

  void postpone(long newTimeoutAtMs) {
    timeoutAtMs = newTimeoutAtMs;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import java.time.Duration;
import java.util.List;

/**
 * How one member is doing, as it told itself.
 *
 * @param leaderId the member it believes to be the leader; 0 if it knows of none
 * @param leaderAddress the client address of that leader; may be empty
 * @param followers what a leader knows of its followers; empty on other members
 */
public record MemberStatus(
    String clusterId,
    long memberId,
    Role role,
    long term,
    long leaderId,
    String leaderAddress,
    long lastIndex,
    long durableIndex,
    long commitIndex,
    long appliedIndex,
    List<Follower> followers,
    int leases,
    int locks,
    int waiters,
    String version,
    Duration uptime) {

  /** Copies the list. */
  public MemberStatus {
    followers = List.copyOf(followers);
  }

  /** The part a member plays in its term. */
  public enum Role {
    /** Follows a leader, or waits for one. */
    FOLLOWER,
    /** Asks whether an election could be won. */
    PRE_CANDIDATE,
    /** Stands for election. */
    CANDIDATE,
    /** Leads. */
    LEADER,
    /** A role that this version of the SDK does not know. */
    UNKNOWN
  }

  /**
   * A follower as the leader sees it.
   *
   * @param matchIndex the last index known to be durable there
   * @param lag how many entries it lacks
   * @param silence time since it was last heard of
   */
  public record Follower(long memberId, long matchIndex, long lag, Duration silence) {}
}

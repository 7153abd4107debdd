// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.ToLongFunction;

/** Who belongs to the cluster, and what a majority of it is. Immutable. */
public final class Membership {

  private final SortedSet<NodeId> voters;

  public Membership(Collection<NodeId> voters) {
    if (voters.isEmpty()) {
      throw new IllegalArgumentException("a cluster has at least one voter");
    }
    this.voters = Collections.unmodifiableSortedSet(new TreeSet<>(voters));
  }

  /** In rising order. */
  public SortedSet<NodeId> voters() {
    return voters;
  }

  public boolean contains(NodeId member) {
    return voters.contains(member);
  }

  /** How many voters make a majority. */
  public int quorum() {
    return voters.size() / 2 + 1;
  }

  /** Whether these members include a majority of the voters. */
  boolean isQuorum(Set<NodeId> members) {
    int count = 0;
    for (NodeId voter : voters) {
      if (members.contains(voter)) {
        count++;
      }
    }
    return count >= quorum();
  }

  /** Whether a majority can no longer be had without these members. */
  boolean isBlockedBy(Set<NodeId> members) {
    int left = 0;
    for (NodeId voter : voters) {
      if (!members.contains(voter)) {
        left++;
      }
    }
    return left < quorum();
  }

  /** The largest value that a majority of the voters has reached. */
  long reachedByQuorum(ToLongFunction<NodeId> value) {
    long[] values = new long[voters.size()];
    int i = 0;
    for (NodeId voter : voters) {
      values[i++] = value.applyAsLong(voter);
    }
    Arrays.sort(values);
    return values[values.length - quorum()];
  }

  @Override
  public String toString() {
    return voters.toString();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.Collection;
import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;

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

  @Override
  public String toString() {
    return voters.toString();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.Set;
import java.util.TreeSet;

/** The answers to one election or pre-vote. An answer that comes twice counts once. */
final class Tally {

  private final Membership membership;
  private final Set<NodeId> granted = new TreeSet<>();
  private final Set<NodeId> refused = new TreeSet<>();

  Tally(Membership membership) {
    this.membership = membership;
  }

  /** Takes the first answer of each member; a later one changes nothing. */
  void add(NodeId voter, boolean grant) {
    if (!granted.contains(voter) && !refused.contains(voter)) {
      (grant ? granted : refused).add(voter);
    }
  }

  boolean isWon() {
    return membership.isQuorum(granted);
  }

  boolean isLost() {
    return membership.isBlockedBy(refused);
  }
}

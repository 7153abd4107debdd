// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Holds leaders to their majorities: as many members have really voted for one, and really hold
 * what it commits, as it says. Two majorities that decide apart are rare; one that is none shows at
 * once.
 */
final class Majorities {

  private record Candidacy(long term, NodeId candidate) {}

  private final Map<Candidacy, Set<NodeId>> votes = new HashMap<>();

  /** A vote was sent; every candidate votes for itself. */
  void voted(NodeId voter, long term, NodeId candidate) {
    votes.computeIfAbsent(new Candidacy(term, candidate), any -> new TreeSet<>()).add(voter);
  }

  void leads(NodeId leader, long term, Membership membership) {
    voted(leader, term, leader);
    Set<NodeId> voters = votes.get(new Candidacy(term, leader));
    if (!isMajority(membership, voters)) {
      throw new Violation(
          "member %s leads in term %d with the votes of %s only", leader, term, voters);
    }
  }

  /**
   * @param holders those who have promised that they hold all up to this index
   */
  void commits(NodeId leader, long index, Membership membership, Set<NodeId> holders) {
    if (!isMajority(membership, holders)) {
      throw new Violation("member %s commits up to %d, which only %s hold", leader, index, holders);
    }
  }

  private static boolean isMajority(Membership membership, Set<NodeId> members) {
    if (membership.isFounding()) {
      return members.containsAll(membership.voters());
    }
    return isMajority(membership.voters(), members)
        && (!membership.isJoint() || isMajority(membership.outgoing(), members));
  }

  private static boolean isMajority(Collection<NodeId> voters, Set<NodeId> members) {
    return 2 * voters.stream().filter(members::contains).count() > voters.size();
  }
}

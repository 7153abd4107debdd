// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static dev.coordinator.server.raft.RaftInvariantViolation.invariant;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The properties of Figure 3.2, over all members and the whole run: election safety, log matching,
 * leader completeness, state machine safety, also over snapshots. Also that nobody sends two votes
 * in a term, not even over a crash, and that no read misses what was committed before it.
 */
public final class ClusterInvariants {

  private record Ballot(NodeId voter, long incarnation, long term) {}

  private final Map<Long, NodeId> leaderOfTerm = new HashMap<>();
  private final Map<Ballot, NodeId> votes = new HashMap<>();
  private final Map<Long, Long> readFloor = new HashMap<>();

  /** What any member has ever held committed, from index 1. */
  private final List<Entry> committed = new ArrayList<>();

  /** The terms of the members that held them committed first: of the leaders that did it. */
  private final List<Long> commitTerms = new ArrayList<>();

  /** The state of a machine that has applied as many of them, from none on. */
  private final List<Long> states = new ArrayList<>(List.of(0L));

  /** Checks the cluster after {@code changed} has taken an input. */
  public void check(RaftCore changed, Collection<RaftCore> alive) {
    RaftStatus status = changed.status();
    checkCommitted(changed.member().log, status);
    if (status.role() == RoleKind.LEADER) {
      NodeId known = leaderOfTerm.putIfAbsent(status.term(), changed.member().self);
      invariant(
          known == null || known.equals(changed.member().self),
          "Election Safety: %s and %s lead in term %d",
          known,
          changed.member().self,
          status.term());
      if (known == null) {
        checkComplete(changed);
      }
    }
    checkConfigurations(changed.member().log.configurations());
    for (RaftCore other : alive) {
      if (other != changed) {
        checkMatching(changed.member().log, other.member().log);
      }
    }
  }

  /** A configuration is added to a log only when the one before it is committed (§4.1). */
  private void checkConfigurations(Configurations configurations) {
    long previous = configurations.previous().index();
    invariant(
        previous <= committed.size() || previous == configurations.presentIndex(),
        "the configurations at %d and %d are both uncommitted",
        previous,
        configurations.presentIndex());
    if (previous > 0 && previous <= committed.size()) {
      invariant(
          configurations
              .previous()
              .membership()
              .equals(committed.get((int) previous - 1).membership()),
          "the configuration at %d is not the one that was committed there",
          previous);
    }
  }

  private void checkCommitted(RaftLog log, RaftStatus status) {
    long from = Math.min(status.committed(), committed.size());
    if (from > 0) {
      checkSame(from, log);
    }
    for (long index = from + 1; index <= status.committed(); index++) {
      Entry entry = log.entry(index);
      committed.add(entry);
      commitTerms.add(status.term());
      states.add(stateAfter(states.get(states.size() - 1), entry));
    }
    if (log.snapshot() != null) {
      checkSnapshot(log.snapshot());
    }
  }

  /** One entry suffices: what precedes it is the same by log matching. */
  private void checkSame(long index, RaftLog log) {
    Entry expected = committed.get((int) index - 1);
    boolean same =
        index == log.base().index()
            ? log.base().equals(expected.position())
            : index <= log.last() && log.entry(index).equals(expected);
    invariant(same, "State Machine Safety: %s was committed at %d", expected, index);
  }

  private void checkSnapshot(SnapshotMeta snapshot) {
    invariant(
        snapshot.index() <= committed.size(),
        "a snapshot of %s, %d are committed",
        snapshot.last(),
        committed.size());
    Entry last = committed.get((int) snapshot.index() - 1);
    invariant(
        snapshot.last().equals(last.position()) && snapshot.clusterTimeMs() == last.clusterTimeMs(),
        "%s does not end where %s was committed",
        snapshot,
        last);
    for (long index = snapshot.index(); index > snapshot.membershipIndex(); index--) {
      invariant(
          committed.get((int) index - 1).membership() == null,
          "%s misses the configuration at %d",
          snapshot,
          index);
    }
  }

  /** What a machine of tests makes of an entry. */
  static long stateAfter(long state, Entry entry) {
    return 31 * state + entry.hashCode();
  }

  /** Checks the state of a machine that has applied everything up to {@code index}. */
  public void state(long index, long state) {
    invariant(
        states.get((int) index) == state,
        "State Machine Safety: another state after %d than elsewhere",
        index);
  }

  /**
   * A leader has what was committed in earlier terms. One that was paused may be told of its
   * election so late that newer leaders have committed more.
   */
  private void checkComplete(RaftCore leader) {
    int count = committed.size();
    while (count > 0 && commitTerms.get(count - 1) >= leader.status().term()) {
      count--;
    }
    if (count > 0) {
      invariant(
          leader.member().log.last() >= count,
          "Leader Completeness: %d are committed, the leader's log ends at %d",
          count,
          leader.member().log.last());
      checkSame(count, leader.member().log);
    }
  }

  /** If an entry of two logs has the same index and term, they are the same up to it. */
  private static void checkMatching(RaftLog one, RaftLog other) {
    long base = Math.max(one.base().index(), other.base().index());
    long index = Math.min(one.last(), other.last());
    while (index > base && one.termAt(index) != other.termAt(index)) {
      index--;
    }
    // Below a match the last few are compared; all others have been before.
    for (long i = index; i > base && i > index - 8; i--) {
      invariant(
          one.entry(i).equals(other.entry(i)),
          "Log Matching: the logs agree at %d and differ at %d",
          index,
          i);
    }
  }

  /** A member sends a message: its promises must not contradict earlier ones. */
  public void sent(RaftMessage message) {
    sent(0, message);
  }

  /**
   * As above, for members that may lose their disk.
   *
   * @param incarnation which disk the sender has: with another one it promises anew
   */
  void sent(long incarnation, RaftMessage message) {
    if (message instanceof RaftMessage.RequestVoteReply reply
        && reply.granted()
        && !reply.preVote()) {
      vote(new Ballot(reply.from(), incarnation, reply.requestTerm()), reply.to());
    } else if (message instanceof RaftMessage.RequestVote request && !request.preVote()) {
      vote(new Ballot(request.from(), incarnation, request.term()), request.from());
    }
  }

  private void vote(Ballot ballot, NodeId candidate) {
    NodeId known = votes.putIfAbsent(ballot, candidate);
    invariant(
        known == null || known.equals(candidate),
        "%s voted for %s and for %s in term %d",
        ballot.voter(),
        known,
        candidate,
        ballot.term());
  }

  public void readAsked(long id) {
    readFloor.put(id, (long) committed.size());
  }

  public void readSafe(long id, long index) {
    long floor = readFloor.remove(id);
    invariant(index >= floor, "a read at %d misses what was committed up to %d", index, floor);
  }

  /** How many entries are known to be committed. */
  public long committed() {
    return committed.size();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ToLongFunction;

/**
 * Who belongs to the cluster, and what a majority of it is. Immutable.
 *
 * <p>While a change of voters is under way it is <em>joint</em> (§4.3): it has the voters that come
 * and those of before, and whatever needs a majority needs one of each. Learners get the log, but
 * have no vote and count for no majority (§4.2.1).
 *
 * <p>A cluster that begins is <em>founding</em>: whatever needs a majority needs everybody, until
 * all founders have recorded each other's data directories. As long as one of them still has its
 * disk, others that lost theirs cannot found the cluster once more.
 */
public final class Membership {

  /** Of a member that was not added to a cluster yet. */
  public static final Membership NONE =
      new Membership(
          Collections.<MemberInfo>emptyList(),
          Collections.emptySet(),
          Collections.emptySet(),
          Collections.emptySet());

  private final TreeMap<NodeId, MemberInfo> members = new TreeMap<>();
  private final SortedSet<NodeId> voters;
  private final SortedSet<NodeId> outgoing;
  private final SortedSet<NodeId> learners;
  private final boolean founding;

  /** Members of which only the ids are known, all of them voters. */
  public Membership(Collection<NodeId> voters) {
    this(infos(voters), voters, Collections.emptySet(), Collections.emptySet());
  }

  /**
   * @param voters the voters of the configuration, or the coming ones if it is joint
   * @param outgoing the voters of before, or none if it is not joint
   * @throws IllegalArgumentException if these sets do not fit each other
   */
  public Membership(
      Collection<MemberInfo> members,
      Collection<NodeId> voters,
      Collection<NodeId> outgoing,
      Collection<NodeId> learners) {
    this(members, voters, outgoing, learners, false);
  }

  private Membership(
      Collection<MemberInfo> members,
      Collection<NodeId> voters,
      Collection<NodeId> outgoing,
      Collection<NodeId> learners,
      boolean founding) {
    for (MemberInfo member : members) {
      this.members.put(member.id(), member);
    }
    this.voters = sorted(voters);
    this.outgoing = sorted(outgoing);
    this.learners = sorted(learners);
    this.founding = founding;
    require(!this.voters.isEmpty() || this.members.isEmpty(), "a cluster has at least one voter");
    require(Collections.disjoint(this.learners, allVoters()), "a voter is no learner");
    boolean votersOnly = this.outgoing.isEmpty() && this.learners.isEmpty();
    require(!founding || votersOnly, "a cluster begins with voters only");
    SortedSet<NodeId> all = allVoters();
    all.addAll(this.learners);
    require(all.equals(this.members.keySet()), "every member is a voter or a learner");
  }

  private static Collection<MemberInfo> infos(Collection<NodeId> ids) {
    TreeMap<NodeId, MemberInfo> infos = new TreeMap<>();
    for (NodeId id : ids) {
      infos.put(id, MemberInfo.of(id));
    }
    return infos.values();
  }

  private static SortedSet<NodeId> sorted(Collection<NodeId> ids) {
    return Collections.unmodifiableSortedSet(new TreeSet<>(ids));
  }

  private static void require(boolean condition, String rule) {
    if (!condition) {
      throw new IllegalArgumentException(rule);
    }
  }

  /** All of them, by rising id. */
  public Collection<MemberInfo> members() {
    return Collections.unmodifiableCollection(members.values());
  }

  /** Null if it is no member. */
  public MemberInfo member(NodeId id) {
    return members.get(id);
  }

  /** In rising order; of a joint configuration, those that come. */
  public SortedSet<NodeId> voters() {
    return voters;
  }

  /** The voters of before in a joint configuration; else empty. */
  public SortedSet<NodeId> outgoing() {
    return outgoing;
  }

  public SortedSet<NodeId> learners() {
    return learners;
  }

  /** Everybody whose vote counts, in rising order. */
  public SortedSet<NodeId> allVoters() {
    SortedSet<NodeId> all = new TreeSet<>(voters);
    all.addAll(outgoing);
    return all;
  }

  public boolean isEmpty() {
    return members.isEmpty();
  }

  public boolean isFounding() {
    return founding;
  }

  public boolean isJoint() {
    return !outgoing.isEmpty();
  }

  public boolean contains(NodeId member) {
    return members.containsKey(member);
  }

  public boolean isVoter(NodeId member) {
    return voters.contains(member) || outgoing.contains(member);
  }

  /**
   * The configuration that begins this change: a joint one if the voters change (§4.3), with
   * everybody who comes and everybody who leaves; else the one that is wanted.
   */
  Membership changedBy(MembershipChange change) {
    TreeMap<NodeId, MemberInfo> all = new TreeMap<>(members);
    SortedSet<NodeId> newVoters = new TreeSet<>(voters);
    SortedSet<NodeId> newLearners = new TreeSet<>(learners);
    for (MemberInfo learner : change.addLearners()) {
      all.put(learner.id(), learner);
      newLearners.add(learner.id());
    }
    newVoters.addAll(change.promote());
    newLearners.removeAll(change.promote());
    newVoters.removeAll(change.remove());
    newLearners.removeAll(change.remove());
    if (newVoters.equals(voters)) {
      all.keySet().removeAll(change.remove());
      return new Membership(all.values(), voters, Collections.emptySet(), newLearners);
    }
    // Learners that leave may go at once: nothing is counted over them.
    all.keySet().removeIf(id -> learners.contains(id) && change.remove().contains(id));
    return new Membership(all.values(), newVoters, voters, newLearners);
  }

  /**
   * The same for a cluster that begins with it.
   *
   * @throws IllegalArgumentException if it has not only voters
   */
  public Membership founding() {
    return new Membership(members.values(), voters, outgoing, learners, true);
  }

  /** The same for a cluster that has begun. */
  Membership founded() {
    return new Membership(members.values(), voters, outgoing, learners);
  }

  /** The configuration that a joint one leads to. */
  Membership completed() {
    TreeMap<NodeId, MemberInfo> staying = new TreeMap<>(members);
    staying.keySet().removeIf(id -> !voters.contains(id) && !learners.contains(id));
    return new Membership(staying.values(), voters, Collections.emptySet(), learners);
  }

  /** The same with these data directories recorded, by member. */
  Membership withIncarnations(Map<NodeId, Long> incarnations) {
    TreeMap<NodeId, MemberInfo> all = new TreeMap<>(members);
    for (Map.Entry<NodeId, Long> one : incarnations.entrySet()) {
      all.computeIfPresent(one.getKey(), (id, info) -> info.withIncarnation(one.getValue()));
    }
    return new Membership(all.values(), voters, outgoing, learners, founding);
  }

  /** Whether these members include a majority of the voters; of both halves if it is joint. */
  boolean isQuorum(Set<NodeId> granting) {
    return isQuorum(voters, granting) && (outgoing.isEmpty() || isQuorum(outgoing, granting));
  }

  private boolean isQuorum(SortedSet<NodeId> half, Set<NodeId> granting) {
    return count(half, granting) >= quorum(half);
  }

  /** Whether a majority can no longer be had without these members. */
  boolean isBlockedBy(Set<NodeId> refusing) {
    return isBlockedBy(voters, refusing) || !outgoing.isEmpty() && isBlockedBy(outgoing, refusing);
  }

  private boolean isBlockedBy(SortedSet<NodeId> half, Set<NodeId> refusing) {
    return half.size() - count(half, refusing) < quorum(half);
  }

  private static int count(SortedSet<NodeId> half, Set<NodeId> members) {
    int count = 0;
    for (NodeId voter : half) {
      if (members.contains(voter)) {
        count++;
      }
    }
    return count;
  }

  private int quorum(SortedSet<NodeId> half) {
    return founding ? half.size() : half.size() / 2 + 1;
  }

  /** The largest value that a majority of the voters has reached; of both halves if it is joint. */
  long reachedByQuorum(ToLongFunction<NodeId> value) {
    long reached = reachedByQuorum(voters, value);
    return outgoing.isEmpty() ? reached : Math.min(reached, reachedByQuorum(outgoing, value));
  }

  private long reachedByQuorum(SortedSet<NodeId> half, ToLongFunction<NodeId> value) {
    long[] values = new long[half.size()];
    int i = 0;
    for (NodeId voter : half) {
      values[i++] = value.applyAsLong(voter);
    }
    Arrays.sort(values);
    return values[values.length - quorum(half)];
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Membership that
        && members.equals(that.members)
        && voters.equals(that.voters)
        && outgoing.equals(that.outgoing)
        && learners.equals(that.learners)
        && founding == that.founding;
  }

  @Override
  public int hashCode() {
    return 31 * (31 * members.hashCode() + voters.hashCode()) + outgoing.hashCode();
  }

  /** As {@code [1, 2, 3]}, joint as {@code [1, 2, 3] to [2, 3, 4]}, with learners behind. */
  @Override
  public String toString() {
    String text = isJoint() ? outgoing + " to " + voters : voters.toString();
    return learners.isEmpty() ? text : text + " learners " + learners;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.MembershipChange;
import dev.coordinator.server.raft.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Changes the members of a cluster as a careful person would: asks whoever leads, again and again
 * until it is done, and never lets it shrink to where one more loss would be too much.
 */
final class Operator {

  private static final long MS = 1_000_000;
  private static final int MIN_VOTERS = 3;
  private static final int MAX_MEMBERS = 9;

  /** As many as a simulated network has room for. */
  private static final int MAX_EVER = 50;

  /** Gives up on what does not succeed in this time. */
  private static final long PATIENCE_NANOS = 30_000 * MS;

  /**
   * Something to be reached.
   *
   * @param next the change that leads on from a configuration, or null if it is reached
   */
  private record Goal(String name, long untilNanos, Function<Membership, MembershipChange> next) {}

  private final SimulatedCluster cluster;
  private final Schedule schedule;
  private final List<Goal> goals = new ArrayList<>();
  private boolean stopped;

  Operator(SimulatedCluster cluster) {
    this.cluster = cluster;
    this.schedule = cluster.schedule();
  }

  void start() {
    schedule.after(
        schedule.delayNanos(5 * MS, 600 * MS),
        () -> {
          if (!stopped) {
            work();
            start();
          }
        });
  }

  void stop() {
    stopped = true;
  }

  boolean isIdle() {
    return goals.isEmpty();
  }

  // ------------------------------------------------------------------------------------ its goals

  /** Adds a new member, first as a learner. Returns whether there is room for one. */
  boolean add() {
    if (isFull()) {
      return false;
    }
    SimulatedMember added = cluster.bringNewMember();
    goal("add " + added, present -> admission(present, added.id()));
    return true;
  }

  /** Takes a member out; one that is lost rather than a sound one. */
  boolean remove() {
    SimulatedMember leaving = leaving();
    Membership present = cluster.oracle().membership();
    boolean lost = leaving != null && leaving.isLost();
    if (leaving == null || present.voters().size() <= MIN_VOTERS || !lost && !noneIsLost()) {
      return false;
    }
    remove(leaving);
    return true;
  }

  void remove(SimulatedMember leaving) {
    goal(
        "remove " + leaving,
        present -> present.contains(leaving.id()) ? MembershipChange.remove(leaving.id()) : null);
  }

  /** Puts a new member in the place of one; of one that is lost, if there is one. */
  boolean replace() {
    SimulatedMember leaving = leaving();
    if (leaving == null || isFull() || !leaving.isLost() && !noneIsLost()) {
      return false;
    }
    SimulatedMember coming = cluster.bringNewMember();
    goal(
        "replace " + leaving + " by " + coming,
        present -> {
          if (!present.contains(leaving.id())) {
            return admission(present, coming.id());
          }
          return present.learners().contains(coming.id())
              ? MembershipChange.replace(leaving.id(), coming.id())
              : admission(present, coming.id());
        });
    return true;
  }

  private static MembershipChange admission(Membership present, NodeId id) {
    if (!present.contains(id)) {
      return MembershipChange.add(MemberInfo.of(id));
    }
    return present.learners().contains(id) ? MembershipChange.promote(id) : null;
  }

  private boolean isFull() {
    return cluster.oracle().membership().members().size() >= MAX_MEMBERS
        || cluster.members().size() >= MAX_EVER;
  }

  /** Null while another goal is open: which members will be there is not known then. */
  private SimulatedMember leaving() {
    if (!isIdle()) {
      return null;
    }
    List<SimulatedMember> voters = cluster.voters();
    for (SimulatedMember voter : voters) {
      if (voter.isLost()) {
        return voter;
      }
    }
    return voters.get(schedule.random().nextInt(voters.size()));
  }

  private boolean noneIsLost() {
    return cluster.voters().stream().noneMatch(SimulatedMember::isLost);
  }

  private void goal(String name, Function<Membership, MembershipChange> next) {
    cluster.note("the operator wants to %s", name);
    goals.add(new Goal(name, schedule.nowNanos() + PATIENCE_NANOS, next));
  }

  private void work() {
    for (Goal goal : List.copyOf(goals)) {
      for (SimulatedMember member : cluster.members()) {
        if (member.isLeader()) {
          pursue(goal, member);
        }
      }
      if (schedule.nowNanos() > goal.untilNanos) {
        goals.remove(goal);
      }
    }
  }

  private void pursue(Goal goal, SimulatedMember leader) {
    MembershipChange change = goal.next.apply(leader.loop().core().status().membership());
    if (change != null) {
      leader.node().changeMembership(change);
    } else if (goal.next.apply(cluster.oracle().membership()) == null) {
      cluster.note("the operator managed to %s", goal.name);
      goals.remove(goal);
    }
  }

  // -------------------------------------------------------------------------------------- the rest

  /**
   * Has leadership handed over, to somebody or to whoever is best.
   *
   * @return whether anybody leads
   */
  boolean transfer() {
    boolean asked = false;
    for (SimulatedMember member : cluster.members()) {
      if (member.isLeader()) {
        NodeId target =
            schedule.random().nextBoolean()
                ? NodeId.NONE
                : cluster.members().get(schedule.random().nextInt(cluster.members().size())).id();
        cluster.note("%s is asked to hand over to %s", member, target.isNone() ? "any" : target);
        member.node().transferLeadership(target);
        asked = true;
      }
    }
    return asked;
  }

  /** Has leadership handed over so many times, every 200 ms. */
  void transferAgainAndAgain(int times) {
    transfer();
    if (times > 1) {
      schedule.after(200 * MS, () -> transferAgainAndAgain(times - 1));
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Brings faults over a cluster, one after the other, until it is told to stop. */
final class Nemesis {

  private static final long MS = 1_000_000;

  private final SimulatedCluster cluster;
  private final Schedule schedule;
  private boolean stopped;

  Nemesis(SimulatedCluster cluster) {
    this.cluster = cluster;
    this.schedule = cluster.schedule();
  }

  void start() {
    long gapNanos = cluster.faults().faultGapMs() * MS;
    schedule.after(
        schedule.random().nextLong(1, 2 * gapNanos),
        () -> {
          if (!stopped) {
            strike();
            start();
          }
        });
  }

  void stop() {
    stopped = true;
  }

  private void strike() {
    SimulatedMember victim = victim();
    switch (schedule.random().nextInt(9)) {
      case 0 -> cluster.crashAndRestart(victim, true);
      case 1 -> cluster.crashAndRestart(victim, false);
      case 2 -> cluster.members().forEach(member -> cluster.crashAndRestart(member, true));
      case 3 -> victim.pause(schedule.delayNanos(20 * MS, 3_000 * MS));
      case 4 -> isolate(victim, true, true);
      case 5 -> isolate(victim, true, false);
      case 6 -> isolate(victim, false, true);
      case 7 -> split();
      default -> {
        cluster.note("the network heals");
        cluster.network().healAll();
      }
    }
  }

  private SimulatedMember victim() {
    if (schedule.chance(cluster.faults().leaderBias())) {
      for (SimulatedMember member : cluster.members()) {
        if (member.isLeader()) {
          return member;
        }
      }
    }
    return cluster.members().get(schedule.random().nextInt(cluster.members().size()));
  }

  private void isolate(SimulatedMember victim, boolean in, boolean out) {
    cluster.note("%s is cut off%s", victim, in && out ? "" : in ? " inwards" : " outwards");
    for (SimulatedMember other : cluster.members()) {
      if (other != victim) {
        if (in) {
          cluster.network().cut(other.id(), victim.id());
          cluster.noticeLater(victim, other.id());
        }
        if (out) {
          cluster.network().cut(victim.id(), other.id());
          cluster.noticeLater(other, victim.id());
        }
      }
    }
  }

  /** Two sides, and sometimes a bridge that reaches both. */
  private void split() {
    List<SimulatedMember> order = new ArrayList<>(cluster.members());
    Collections.shuffle(order, new Random(schedule.random().nextLong()));
    int half = order.size() / 2;
    boolean bridge = schedule.random().nextBoolean();
    cluster.note(
        "split %s | %s%s",
        order.subList(0, half), order.subList(half, order.size()), bridge ? " with a bridge" : "");
    for (SimulatedMember left : order.subList(0, half)) {
      for (SimulatedMember right : order.subList(bridge ? half + 1 : half, order.size())) {
        cluster.network().cut(left.id(), right.id());
        cluster.network().cut(right.id(), left.id());
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.storage.SimulatedDisk.Operation;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;

/** Brings faults over a cluster, one after the other, until it is told to stop. */
final class Nemesis {

  /** What it can do. The others happen by themselves, at the probabilities of {@link Faults}. */
  static final List<FaultKind> KINDS =
      List.copyOf(
          EnumSet.complementOf(EnumSet.of(FaultKind.CRASH_AFTER_SENDING, FaultKind.MUTE_LEADER)));

  private static final long MS = 1_000_000;
  private static final List<Operation> OPERATIONS = List.of(Operation.values());
  private static final List<Operation> OTHER_OPERATIONS =
      List.copyOf(EnumSet.complementOf(EnumSet.of(Operation.WRITE, Operation.FORCE)));

  private final SimulatedCluster cluster;
  private final SimulatedNetwork network;
  private final Schedule schedule;
  private final Operator operator;
  private boolean stopped;

  Nemesis(SimulatedCluster cluster) {
    this.cluster = cluster;
    this.network = cluster.network();
    this.schedule = cluster.schedule();
    this.operator = cluster.operator();
  }

  void start() {
    long gapNanos = cluster.faults().gapMs() * MS;
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
    List<FaultKind> kinds = cluster.faults().kinds();
    FaultKind kind = kinds.get(schedule.random().nextInt(kinds.size()));
    SimulatedMember victim = victim();
    if (strike(kind, victim)) {
      cluster.figures().fault(kind);
    }
  }

  /** Returns whether it befell anybody. */
  private boolean strike(FaultKind kind, SimulatedMember victim) {
    return switch (kind) {
      case KILL -> cluster.crashAndRestart(victim, false);
      case POWER_CUT -> cluster.crashAndRestart(victim, true);
      case KILL_ALL -> crashAll(false);
      case POWER_CUT_ALL -> crashAll(true);
      case CRASH_AT_DISK, WRITE_ERROR, SYNC_ERROR, DISK_ERROR -> {
        setTrap(kind, victim.diskFaults());
        yield false; // It counts when it springs.
      }
      case HANGING_DISK -> {
        victim.hangAtDisk(1_000L * MS << schedule.random().nextInt(5));
        yield false; // As above.
      }
      case BIT_FLIP -> cluster.damage(victim);
      case WIPE -> cluster.wipe(victim);
      case PAUSE -> pause(victim);
      case TRANSFER -> operator.transfer();
      case SNAPSHOTS -> victim.takeSnapshots();
      case ADD_MEMBER -> operator.add();
      case REMOVE_MEMBER -> operator.remove();
      case REPLACE_MEMBER -> operator.replace();
      default -> {
        begin(kind, victim);
        yield true;
      }
    };
  }

  /** Of those that last and end by themselves. */
  private void begin(FaultKind kind, SimulatedMember victim) {
    switch (kind) {
      case DISK_FULL -> fillDisk(victim);
      case SLOW_DISK -> slowDisk(victim);
      case STARVATION -> starve(victim);
      case FLAPPING -> flap(victim);
      case SWIZZLE_CLOG -> swizzleClog();
      case SLOW_NETWORK -> slowNetwork(victim);
      case LATE_NEWS -> lateNews(victim);
      case TRANSFER_STORM -> operator.transferAgainAndAgain(5 + schedule.random().nextInt(20));
      default -> partition(kind, victim);
    }
  }

  private boolean crashAll(boolean powerCut) {
    boolean any = false;
    for (SimulatedMember member : cluster.members()) {
      any |= cluster.crashAndRestart(member, powerCut);
    }
    return any;
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

  // ------------------------------------------------------------------------------------- the disk

  private void setTrap(FaultKind kind, DiskFaults disk) {
    switch (kind) {
      case WRITE_ERROR -> disk.refuse(Operation.WRITE);
      case SYNC_ERROR -> disk.refuse(Operation.FORCE);
      case DISK_ERROR -> disk.refuse(any(OTHER_OPERATIONS));
      default ->
          disk.dieAt(
              any(OPERATIONS), schedule.random().nextInt(3), schedule.random().nextBoolean());
    }
  }

  private Operation any(List<Operation> operations) {
    return operations.get(schedule.random().nextInt(operations.size()));
  }

  private void fillDisk(SimulatedMember victim) {
    cluster.note("the disk of %s is full", victim);
    victim.fillDisk();
    later(
        5_000,
        () -> {
          cluster.note("the disk of %s has space again", victim);
          victim.freeDisk();
        });
  }

  private void slowDisk(SimulatedMember victim) {
    long byMs = 50L << schedule.random().nextInt(4);
    cluster.note("the disk of %s takes %d ms longer", victim, byMs);
    victim.slowDisk(byMs * MS);
    later(10_000, () -> victim.slowDisk(0));
  }

  // ----------------------------------------------------------------------------- the processor

  private boolean pause(SimulatedMember victim) {
    return victim.pause(schedule.delayNanos(20 * MS, 5_000 * MS));
  }

  private void starve(SimulatedMember victim) {
    long gapMs = 10L << schedule.random().nextInt(8);
    cluster.note("%s gets to work every %d ms only", victim, gapMs);
    victim.starve(gapMs * MS);
    later(20_000, () -> victim.starve(0));
  }

  // ---------------------------------------------------------------------------------- the network

  private void partition(FaultKind kind, SimulatedMember victim) {
    List<NodeId> order = shuffled(victim);
    int size = order.size();
    switch (kind) {
      case ISOLATION -> cut(Partition.split(network, order, 1));
      case MINORITY_LEADER -> cut(Partition.split(network, order, (size - 1) / 2));
      case SPLIT -> cut(Partition.split(network, order, 1 + schedule.random().nextInt(size - 1)));
      case ONE_WAY_CUT -> cut(Partition.oneWay(network, order, schedule.random().nextBoolean()));
      case BRIDGE -> bridge(order);
      case RING -> cut(Partition.ringOrBridge(network, order));
      default -> throw new AssertionError(kind);
    }
  }

  /** The victim alone, or sides of the same size or not; and a bridge that may stand still. */
  private void bridge(List<NodeId> order) {
    int size = order.size();
    int middle = 1;
    if (schedule.chance(0.7)) {
      Collections.swap(order, 0, schedule.random().nextInt(size));
      boolean even = schedule.random().nextBoolean();
      middle = even ? size / 2 : 1 + schedule.random().nextInt(Math.max(1, size - 2));
    }
    cut(Partition.bridge(network, order, middle));
    if (schedule.random().nextBoolean()) {
      pause(cluster.member(order.get(middle)));
    }
  }

  private void cut(Partition partition) {
    cluster.note("the network: %s", partition);
    partition.close();
    boolean connectionsBreak = schedule.random().nextBoolean();
    for (SimulatedMember from : cluster.members()) {
      for (SimulatedMember to : cluster.members()) {
        if (connectionsBreak && network.isCut(from.id(), to.id())) {
          cluster.noticeLater(to, from.id());
        }
      }
    }
    later(
        cluster.faults().maxCutMs(),
        () -> {
          cluster.note("the network: no longer %s", partition);
          partition.open();
        });
  }

  private void flap(SimulatedMember victim) {
    Partition partition = Partition.split(network, shuffled(victim).subList(0, 2), 1);
    cluster.note("the network: flapping, %s", partition);
    flap(partition, 2 + 2 * schedule.random().nextInt(20));
  }

  private void flap(Partition partition, int times) {
    partition.flap();
    if (times > 1) {
      schedule.after(
          schedule.random().nextLong(100 * MS, 500 * MS), () -> flap(partition, times - 1));
    }
  }

  /** Clogs some members one by one, and frees them in another order. */
  private void swizzleClog() {
    List<NodeId> order = shuffled(null);
    List<NodeId> some = order.subList(0, 1 + schedule.random().nextInt(order.size()));
    long atNanos = 0;
    for (NodeId member : some) {
      atNanos += schedule.random().nextLong(1, 500 * MS);
      schedule.after(
          atNanos,
          () -> {
            cluster.note("the network: what member %s sends or gets must wait", member);
            network.clog(member);
          });
    }
    List<NodeId> back = new ArrayList<>(some);
    Collections.shuffle(back, new Random(schedule.random().nextLong()));
    for (NodeId member : back) {
      atNanos += schedule.random().nextLong(1, 500 * MS);
      schedule.after(
          atNanos,
          () -> {
            cluster.note("the network: member %s is free again", member);
            network.unclog(member);
          });
    }
  }

  private void slowNetwork(SimulatedMember victim) {
    long byMs = 20L << schedule.random().nextInt(5);
    cluster.note("the network: messages to and from %s take %d ms longer", victim, byMs);
    network.slow(victim.id(), byMs * MS);
    later(cluster.faults().maxCutMs(), () -> network.slow(victim.id(), 0));
  }

  /** A leader that is deposed meanwhile hears what was said while it led. */
  private void lateNews(SimulatedMember victim) {
    long byMs = 200L << schedule.random().nextInt(5);
    cluster.note("the network: messages to %s take up to %d ms longer", victim, byMs);
    network.scatter(victim.id(), byMs * MS);
    Partition unheard = Partition.oneWay(network, shuffled(victim), false);
    schedule.after(
        schedule.random().nextLong(1, 2 * byMs * MS),
        () -> {
          if (!stopped) {
            cut(unheard);
          }
        });
    later(cluster.faults().maxCutMs(), () -> network.scatter(victim.id(), 0));
  }

  /** All members in a random order, but this one first. */
  private List<NodeId> shuffled(SimulatedMember first) {
    List<NodeId> order = new ArrayList<>();
    cluster.members().forEach(member -> order.add(member.id()));
    Collections.shuffle(order, new Random(schedule.random().nextLong()));
    if (first != null) {
      order.remove(first.id());
      order.add(0, first.id());
    }
    return order;
  }

  private void later(long withinMs, Runnable end) {
    schedule.after(schedule.delayNanos(100 * MS, withinMs * MS), end);
  }
}

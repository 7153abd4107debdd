// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * The ways between members: they lose, repeat, delay and reorder messages, and can be cut one by
 * one.
 */
final class SimulatedNetwork {

  private record Way(NodeId from, NodeId to) implements Comparable<Way> {
    @Override
    public int compareTo(Way other) {
      int byFrom = from.compareTo(other.from);
      return byFrom != 0 ? byFrom : to.compareTo(other.to);
    }
  }

  private static final long MIN_DELAY_NANOS = 50_000;

  private final Schedule schedule;
  private final Consumer<RaftMessage> receiver;
  private final Set<Way> cut = new TreeSet<>();
  private final Map<NodeId, Integer> losses = new TreeMap<>();
  private double loss;
  private double duplication;
  private long maxDelayNanos;

  SimulatedNetwork(Schedule schedule, Faults faults, Consumer<RaftMessage> receiver) {
    this.schedule = schedule;
    this.receiver = receiver;
    this.loss = faults.loss();
    this.duplication = faults.duplication();
    this.maxDelayNanos = faults.maxDelayMs() * 1_000_000;
  }

  void send(RaftMessage message) {
    if (cut.contains(new Way(message.from(), message.to())) || schedule.chance(loss)) {
      return;
    }
    deliverLater(message);
    if (schedule.chance(duplication)) {
      deliverLater(message);
    }
  }

  private void deliverLater(RaftMessage message) {
    int lossesBefore = losses.getOrDefault(message.from(), 0);
    schedule.after(
        schedule.delayNanos(MIN_DELAY_NANOS, maxDelayNanos),
        () -> {
          if (!cut.contains(new Way(message.from(), message.to()))
              && lossesBefore == losses.getOrDefault(message.from(), 0)) {
            receiver.accept(message);
          }
        });
  }

  void cut(NodeId from, NodeId to) {
    cut.add(new Way(from, to));
  }

  /** What is on its way from this member never arrives. */
  void loseAllFrom(NodeId sender) {
    losses.merge(sender, 1, Integer::sum);
  }

  void healAll() {
    cut.clear();
  }

  /** No more losses, repeats or long ways. */
  void calm() {
    cut.clear();
    loss = 0;
    duplication = 0;
    maxDelayNanos = Math.min(maxDelayNanos, 5_000_000);
  }
}

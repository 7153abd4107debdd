// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.raft.NodeId;
import java.util.ArrayList;
import java.util.List;

/** Some ways between members that are cut together and joined together. */
final class Partition {

  /** Whether the way from one member to another is cut, by their places in the order given. */
  private interface Cut {
    boolean applies(int from, int to);
  }

  private record Way(NodeId from, NodeId to) {}

  private final SimulatedNetwork network;
  private final String name;
  private final List<Way> ways = new ArrayList<>();
  private boolean closed;

  private Partition(SimulatedNetwork network, String name, List<NodeId> order, Cut cut) {
    this.network = network;
    this.name = name;
    for (int from = 0; from < order.size(); from++) {
      for (int to = 0; to < order.size(); to++) {
        if (from != to && cut.applies(from, to)) {
          ways.add(new Way(order.get(from), order.get(to)));
        }
      }
    }
  }

  /** Two sides that do not hear each other. */
  static Partition split(SimulatedNetwork network, List<NodeId> order, int firstSide) {
    String name =
        String.format(
            "%s | %s", order.subList(0, firstSide), order.subList(firstSide, order.size()));
    return new Partition(network, name, order, (from, to) -> from < firstSide != to < firstSide);
  }

  /** The first member hears nobody, or is heard by nobody. */
  static Partition oneWay(SimulatedNetwork network, List<NodeId> order, boolean inwards) {
    String name =
        String.format("%s %s", order.get(0), inwards ? "hears nobody" : "is heard by nobody");
    return new Partition(network, name, order, (from, to) -> (inwards ? to : from) == 0);
  }

  /** Two sides of the same size, and between them a member that hears both. */
  static Partition bridge(SimulatedNetwork network, List<NodeId> order) {
    return bridge(network, order, order.size() / 2);
  }

  /** Two sides, and between them, at this place of the order, a member that hears both. */
  static Partition bridge(SimulatedNetwork network, List<NodeId> order, int middle) {
    String name =
        String.format(
            "%s | %s | %s",
            order.subList(0, middle), order.get(middle), order.subList(middle + 1, order.size()));
    return new Partition(
        network,
        name,
        order,
        (from, to) -> Math.min(from, to) < middle && Math.max(from, to) > middle);
  }

  /** A ring if there are enough for one: every one of three would hear all others. */
  static Partition ringOrBridge(SimulatedNetwork network, List<NodeId> order) {
    return order.size() < 5 ? bridge(network, order) : ring(network, order);
  }

  /** Every member hears a majority, each another one: its neighbours in a ring. */
  static Partition ring(SimulatedNetwork network, List<NodeId> order) {
    int size = order.size();
    int reach = (size / 2 + 1) / 2;
    return new Partition(
        network,
        "ring " + order,
        order,
        (from, to) -> {
          int apart = Math.abs(from - to);
          return Math.min(apart, size - apart) > reach;
        });
  }

  /** Cuts the ways unless they are. */
  void close() {
    if (!closed) {
      closed = true;
      ways.forEach(way -> network.cut(way.from, way.to));
    }
  }

  /** Cuts the ways until all that are cut in the calm are joined. */
  void closeInCalm() {
    ways.forEach(way -> network.cutInCalm(way.from, way.to));
  }

  /** Joins the ways again if this partition has cut them. */
  void open() {
    if (closed) {
      closed = false;
      ways.forEach(way -> network.join(way.from, way.to));
    }
  }

  void flap() {
    if (closed) {
      open();
    } else {
      close();
    }
  }

  @Override
  public String toString() {
    return name;
  }
}

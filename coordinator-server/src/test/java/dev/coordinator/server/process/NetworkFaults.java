// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Members that cannot talk to each other. Clients reach all of them, unless a cable is pulled. */
final class NetworkFaults {

  private NetworkFaults() {}

  static List<FaultKind> kinds() {
    return List.of(
        FaultKind.ofNetwork("partition", 3, NetworkFaults::partition),
        FaultKind.ofNetwork("isolate-leader", 3, NetworkFaults::isolateLeader),
        FaultKind.ofNetwork("all-apart", 3, NetworkFaults::allApart),
        FaultKind.ofNetwork("one-way-cut", 3, NetworkFaults::oneWay),
        FaultKind.ofNetwork("leader-hears-nobody", 3, NetworkFaults::leaderDeaf),
        FaultKind.ofNetwork("nobody-hears-leader", 3, NetworkFaults::leaderMute),
        FaultKind.ofNetwork("bridge", 3, NetworkFaults::bridge),
        FaultKind.ofNetwork("majority-ring", 5, NetworkFaults::majorityRing),
        FaultKind.ofNetwork("flapping", 3, NetworkFaults::flapping),
        FaultKind.ofNetwork("cable-pulled", 1, NetworkFaults::pullCable),
        FaultKind.ofNetwork("connections-reset", 3, NetworkFaults::reset),
        FaultKind.ofNetwork("packet-loss", 1, NetworkFaults::loss),
        FaultKind.ofNetwork("narrow-link", 1, NetworkFaults::narrow));
  }

  private static void lastAWhile(Draw draw) throws InterruptedException {
    draw.last(500, 10_000);
  }

  private static void partition(Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    List<Host> hosts = draw.shuffled(testbed.hosts());
    int size = draw.between(1, hosts.size() - 1);
    cut(hosts.subList(0, size), hosts.subList(size, hosts.size()));
    lastAWhile(draw);
  }

  private static void isolateLeader(Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    Host leader = testbed.leader();
    cut(List.of(leader), others(testbed, leader));
    lastAWhile(draw);
  }

  private static void allApart(Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    for (Host host : testbed.hosts()) {
      for (Host other : others(testbed, host)) {
        host.network().deafTo(other.network());
      }
    }
    lastAWhile(draw);
  }

  private static void oneWay(Testbed testbed, Draw draw) throws IOException, InterruptedException {
    List<Host> hosts = draw.shuffled(testbed.hosts());
    hosts.get(0).network().deafTo(hosts.get(1).network());
    lastAWhile(draw);
  }

  private static void leaderDeaf(Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    Host leader = testbed.leader();
    for (Host other : others(testbed, leader)) {
      leader.network().deafTo(other.network());
    }
    lastAWhile(draw);
  }

  private static void leaderMute(Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    Host leader = testbed.leader();
    for (Host other : others(testbed, leader)) {
      other.network().deafTo(leader.network());
    }
    lastAWhile(draw);
  }

  /** Two halves that do not see each other, and one member that sees both. */
  private static void bridge(Testbed testbed, Draw draw) throws IOException, InterruptedException {
    List<Host> hosts = draw.shuffled(testbed.hosts());
    int half = hosts.size() / 2;
    cut(hosts.subList(0, half), hosts.subList(half + 1, hosts.size()));
    lastAWhile(draw);
  }

  /** Each member sees a majority, and no two see the same one. */
  private static void majorityRing(Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    List<Host> ring = draw.shuffled(testbed.hosts());
    int seen = testbed.majority() / 2;
    for (int i = 0; i < ring.size(); i++) {
      for (int distance = seen + 1; distance < ring.size() - seen; distance++) {
        Host other = ring.get((i + distance) % ring.size());
        ring.get(i).network().deafTo(other.network());
      }
    }
    lastAWhile(draw);
  }

  private static void flapping(Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    Host host = draw.host(testbed);
    long endNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(draw.spanMs(2_000, 8_000));
    while (System.nanoTime() - endNanos < 0) {
      cut(List.of(host), others(testbed, host));
      draw.last(100, 500);
      host.network().heal();
      draw.last(100, 500);
    }
  }

  private static void pullCable(Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    draw.host(testbed).network().pullCable();
    lastAWhile(draw);
  }

  private static void reset(Testbed testbed, Draw draw) throws IOException, InterruptedException {
    Host host = draw.host(testbed);
    for (Host other : others(testbed, host)) {
      host.network().reset(other.network());
    }
    draw.last(200, 5_000);
  }

  private static void loss(Testbed testbed, Draw draw) throws IOException, InterruptedException {
    double share = draw.between(2, 30) / 100.0;
    for (Host host : draw.some(draw.between(1, testbed.hosts().size()), testbed.hosts())) {
      host.network().lose(share);
    }
    lastAWhile(draw);
  }

  private static void narrow(Testbed testbed, Draw draw) throws IOException, InterruptedException {
    for (Host host : draw.some(draw.between(1, testbed.hosts().size()), testbed.hosts())) {
      host.network().limitRate(draw.one(List.of("64kbit", "256kbit", "1mbit")));
    }
    lastAWhile(draw);
  }

  private static void cut(List<Host> one, List<Host> other)
      throws IOException, InterruptedException {
    for (Host host : one) {
      for (Host peer : other) {
        host.network().cutFrom(peer.network());
      }
    }
  }

  private static List<Host> others(Testbed testbed, Host host) {
    List<Host> others = new ArrayList<>(testbed.hosts());
    others.remove(host);
    return others;
  }
}

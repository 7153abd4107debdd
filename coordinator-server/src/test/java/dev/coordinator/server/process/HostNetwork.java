// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The network of one host: a namespace with a single cable to the bridge of {@link Switch}. */
final class HostNetwork {

  private final String namespace;
  private final String address;
  private final Switch bridge;
  private final String port;

  HostNetwork(String namespace, String address, Switch bridge, String port) {
    this.namespace = namespace;
    this.address = address;
    this.bridge = bridge;
    this.port = port;
  }

  String address() {
    return address;
  }

  /** What to put before a command, so that it runs on this host. */
  List<String> prefix() {
    // Not ip netns exec: its copy of the mount table would keep other hosts' disks mounted.
    return List.of("nsenter", "--net=/run/netns/" + namespace);
  }

  /** Hears nothing from that host any more. */
  void deafTo(HostNetwork other) throws IOException, InterruptedException {
    filter("INPUT", "-s", other.address, "-j", "DROP");
  }

  /** Neither hears that host nor is heard by it. */
  void cutFrom(HostNetwork other) throws IOException, InterruptedException {
    deafTo(other);
    filter("OUTPUT", "-d", other.address, "-j", "DROP");
  }

  /** Connections to and from that host are reset. */
  void reset(HostNetwork other) throws IOException, InterruptedException {
    for (String side : List.of("-s", "-d")) {
      filter(
          side.equals("-s") ? "INPUT" : "OUTPUT",
          "-p",
          "tcp",
          side,
          other.address,
          "-j",
          "REJECT",
          "--reject-with",
          "tcp-reset");
    }
  }

  /** This share of the packets that arrive is lost. */
  void lose(double share) throws IOException, InterruptedException {
    filter(
        "INPUT",
        "-m",
        "statistic",
        "--mode",
        "random",
        "--probability",
        Double.toString(share),
        "-j",
        "DROP");
  }

  /** Sends at most so much. */
  void limitRate(String rate) throws IOException, InterruptedException {
    run(
        "tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", rate, "burst", "4kb", "latency",
        "400ms");
  }

  void pullCable() throws IOException, InterruptedException {
    bridge.set(port, "down");
  }

  /** Everything gets through again. */
  void heal() throws IOException, InterruptedException {
    run("iptables", "-w", "-F");
    Shell.exitCode("tc", "-n", namespace, "qdisc", "del", "dev", "eth0", "root");
    bridge.set(port, "up");
  }

  private void filter(String chain, String... rule) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("iptables", "-w", "-A", chain));
    command.addAll(List.of(rule));
    run(command.toArray(String[]::new));
  }

  private void run(String... command) throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(prefix());
    all.addAll(List.of(command));
    Shell.run(all);
  }
}

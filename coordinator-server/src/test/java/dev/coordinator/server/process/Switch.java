// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * A network of its own on this machine: a bridge in one namespace, a namespace for each host, and a
 * cable to this process, which stays in the main namespace.
 */
final class Switch implements AutoCloseable {

  private static final int NETWORKS = 250;
  private static final int OWN_HOST_NUMBER = 254;

  private final String name;
  private final String network;
  private final List<String> namespaces = new ArrayList<>();

  /**
   * @param name at most eleven characters, unique on this machine
   */
  Switch(String name) throws IOException, InterruptedException {
    this.name = name;
    this.network = freeNetwork();
    addNamespace(bridge());
    inBridge("link", "add", "br0", "type", "bridge");
    inBridge("link", "set", "br0", "up");
    Shell.run(ip("link", "add", name, "type", "veth", "peer", "name", "own", "netns", bridge()));
    inBridge("link", "set", "own", "master", "br0", "up");
    Shell.run(ip("addr", "add", address(OWN_HOST_NUMBER) + "/24", "dev", name));
    Shell.run(ip("link", "set", name, "up"));
  }

  /** Adds a host with a cable. */
  HostNetwork connect(int number) throws IOException, InterruptedException {
    String namespace = name + "-" + number;
    String port = "port" + number;
    addNamespace(namespace);
    inBridge("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    inBridge("link", "set", port, "master", "br0", "up");
    Shell.run(ip("-n", namespace, "addr", "add", address(number) + "/24", "dev", "eth0"));
    Shell.run(ip("-n", namespace, "link", "set", "eth0", "up"));
    return new HostNetwork(namespace, address(number), this, port);
  }

  void set(String port, String state) throws IOException, InterruptedException {
    inBridge("link", "set", port, state);
  }

  private String bridge() {
    return name + "-sw";
  }

  private String address(int host) {
    return network + "." + host;
  }

  private void addNamespace(String namespace) throws IOException, InterruptedException {
    Shell.run(ip("netns", "add", namespace));
    namespaces.add(namespace);
    Shell.run(ip("-n", namespace, "link", "set", "lo", "up"));
  }

  private void inBridge(String... command) throws IOException, InterruptedException {
    List<String> all = ip("-n", bridge());
    all.addAll(List.of(command));
    Shell.run(all);
  }

  /** The namespaces go with all that is in them; the cable to this process goes with its end. */
  @Override
  public void close() throws IOException, InterruptedException {
    for (String namespace : namespaces) {
      Shell.run(ip("netns", "del", namespace));
    }
    namespaces.clear();
  }

  /** Removes what an interrupted run left behind. */
  static void remove(String prefix) throws IOException, InterruptedException {
    for (String line : Shell.run(ip("netns", "list")).lines().toList()) {
      String namespace = line.split(" ", 2)[0];
      if (namespace.startsWith(prefix)) {
        Shell.run(ip("netns", "del", namespace));
      }
    }
  }

  /** The first network of 10.77 that no other run uses. */
  private static String freeNetwork() throws IOException, InterruptedException {
    String used = Shell.run(ip("-o", "-4", "addr"));
    for (int i = 0; i < NETWORKS; i++) {
      String network = "10.77." + i;
      if (!used.contains(" " + network + ".")) {
        return network;
      }
    }
    throw new IOException("all networks of 10.77 are in use");
  }

  private static List<String> ip(String... arguments) {
    List<String> command = new ArrayList<>(List.of("ip"));
    command.addAll(List.of(arguments));
    return command;
  }
}

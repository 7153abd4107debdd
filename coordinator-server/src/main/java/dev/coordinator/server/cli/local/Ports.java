// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.local;

import dev.coordinator.server.cli.CliException;
import dev.coordinator.server.cli.ExitCode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;

/** The three ports of a member on this machine's loopback address. */
public record Ports(int client, int peer, int http) {

  /** The client port of the first member, unless something else uses it. */
  public static final int DEFAULT_BASE = 7420;

  private static final int STRIDE = 10;

  /** Ports for so many members: 7420, 7421, 7422 for the first one, 7430, … for the second. */
  public static List<Ports> from(int base, int members) {
    List<Ports> all = new ArrayList<>();
    for (int i = 0; i < members; i++) {
      int first = base + STRIDE * i;
      all.add(new Ports(first, first + 1, first + 2));
    }
    return all;
  }

  /** As {@link #from}, if all of them are free at this moment; else ports that the system gives. */
  public static List<Ports> fromOrFree(int base, int members) {
    List<Ports> wanted = from(base, members);
    return wanted.stream().allMatch(Ports::areFree) ? wanted : free(members);
  }

  /** The configuration's list of members with these ports, numbered from 1. */
  public static String membersKey(List<Ports> all) {
    List<String> members = new ArrayList<>();
    for (Ports ports : all) {
      members.add(
          "%d=127.0.0.1:%d/127.0.0.1:%d"
              .formatted(members.size() + 1, ports.client(), ports.peer()));
    }
    return String.join(",", members);
  }

  /** Ports that nothing uses at this moment. */
  public static List<Ports> free(int members) {
    List<ServerSocket> taken = new ArrayList<>();
    try {
      for (int i = 0; i < 3 * members; i++) {
        taken.add(listen(0));
      }
      List<Ports> all = new ArrayList<>();
      for (int i = 0; i < members; i++) {
        all.add(
            new Ports(
                taken.get(3 * i).getLocalPort(),
                taken.get(3 * i + 1).getLocalPort(),
                taken.get(3 * i + 2).getLocalPort()));
      }
      return all;
    } catch (IOException e) {
      throw new CliException(ExitCode.FAILED, "no free port: " + e.getMessage());
    } finally {
      taken.forEach(Ports::close);
    }
  }

  private boolean areFree() {
    for (int port : new int[] {client, peer, http}) {
      try {
        listen(port).close();
      } catch (IOException e) {
        return false;
      }
    }
    return true;
  }

  private static ServerSocket listen(int port) throws IOException {
    return new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
  }

  private static void close(ServerSocket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // Nothing was sent or received on it.
    }
  }
}

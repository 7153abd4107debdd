// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.io.IOException;
import java.util.List;
import java.util.Set;

/** Disks that lose power, fill up, refuse writes or are slow. */
final class DiskFaults {

  private DiskFaults() {}

  static List<FaultKind> kinds() {
    return List.of(
        kind("power-cut-one", (testbed, draw) -> cutPower(List.of(draw.host(testbed)), draw)),
        kind(
            "power-cut-majority",
            (testbed, draw) -> cutPower(draw.some(testbed.majority(), testbed.hosts()), draw)),
        kind("power-cut-all", (testbed, draw) -> cutPower(testbed.hosts(), draw)),
        kind("disk-full", DiskFaults::fill),
        kind("disk-read-only", DiskFaults::makeReadOnly),
        FaultKind.ofDisk("slow-disk", Set.of(Need.DISK, Need.CGROUPS), DiskFaults::slow));
  }

  private static FaultKind kind(String name, Fault fault) {
    return FaultKind.ofDisk(name, Set.of(Need.DISK), fault);
  }

  private static void cutPower(List<Host> hosts, Draw draw)
      throws IOException, InterruptedException {
    for (Host host : hosts) {
      host.diskFails();
      host.disk().cutPower();
      host.kill();
    }
    draw.last(10, 3_000);
  }

  private static void fill(Testbed testbed, Draw draw) throws IOException, InterruptedException {
    Host host = draw.host(testbed);
    host.mayEnd();
    host.disk().fill();
    draw.last(3_000, 15_000);
  }

  private static void makeReadOnly(Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    Host host = draw.host(testbed);
    host.diskFails();
    host.disk().makeReadOnly();
    draw.last(1_000, 5_000);
  }

  private static void slow(Testbed testbed, Draw draw) throws IOException, InterruptedException {
    Host host = draw.host(testbed);
    host.cgroups().limitWrites(host.disk().device(), draw.between(5, 50));
    draw.last(2_000, 10_000);
  }
}

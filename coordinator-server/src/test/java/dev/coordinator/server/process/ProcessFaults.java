// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.io.IOException;
import java.util.List;
import java.util.Set;

/** Members that are killed, stopped, paused or starved. */
final class ProcessFaults {

  private ProcessFaults() {}

  static List<FaultKind> kinds() {
    return List.of(
        FaultKind.ofProcess(
            "kill-one",
            Set.of(),
            (testbed, draw) -> kill(List.of(draw.one(testbed.hosts())), draw)),
        FaultKind.ofProcess(
            "kill-leader", Set.of(), (testbed, draw) -> kill(List.of(testbed.leader()), draw)),
        FaultKind.ofProcess(
            "kill-majority",
            Set.of(),
            (testbed, draw) -> kill(draw.some(testbed.majority(), testbed.hosts()), draw)),
        FaultKind.ofProcess("kill-all", Set.of(), (testbed, draw) -> kill(testbed.hosts(), draw)),
        FaultKind.ofProcess("kill-again-and-again", Set.of(), ProcessFaults::killAgainAndAgain),
        FaultKind.ofProcess("stop-and-start-in-turn", Set.of(), ProcessFaults::restartInTurn),
        FaultKind.ofProcess(
            "pause-one",
            Set.of(),
            (testbed, draw) -> pause(List.of(draw.one(testbed.hosts())), draw)),
        FaultKind.ofProcess(
            "pause-leader", Set.of(), (testbed, draw) -> pause(List.of(testbed.leader()), draw)),
        FaultKind.ofProcess(
            "pause-majority",
            Set.of(),
            (testbed, draw) -> pause(draw.some(testbed.majority(), testbed.hosts()), draw)),
        FaultKind.ofProcess("pause-all", Set.of(), (testbed, draw) -> pause(testbed.hosts(), draw)),
        FaultKind.ofProcess("pause-and-kill", Set.of(), ProcessFaults::pauseAndKill),
        FaultKind.ofProcess("starve-one-of-cpu", Set.of(Need.CGROUPS), ProcessFaults::starve));
  }

  private static void kill(List<Host> hosts, Draw draw) throws InterruptedException {
    for (Host host : hosts) {
      host.kill();
    }
    draw.last(10, 5_000);
  }

  /** Also while it starts. */
  private static void killAgainAndAgain(Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    Host host = draw.host(testbed);
    int times = draw.between(2, 4);
    for (int i = 0; i < times; i++) {
      host.kill();
      host.start();
      draw.last(100, 3_000);
    }
  }

  /** As one does for an upgrade, but without waiting for the one before to be back. */
  private static void restartInTurn(Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    for (Host host : draw.shuffled(testbed.hosts())) {
      host.stop();
      host.start();
      draw.last(200, 3_000);
    }
  }

  private static void pause(List<Host> hosts, Draw draw) throws IOException, InterruptedException {
    for (Host host : hosts) {
      host.freeze();
    }
    draw.last(100, 30_000);
  }

  /** The leader wakes up to find that the others have elected another, which then dies. */
  private static void pauseAndKill(Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    Host paused = testbed.leader();
    paused.freeze();
    draw.last(500, 5_000);
    for (Host host : draw.some(testbed.majority() - 1, testbed.hosts())) {
      host.kill();
    }
    paused.thaw();
    draw.last(100, 3_000);
  }

  private static void starve(Testbed testbed, Draw draw) throws IOException, InterruptedException {
    draw.host(testbed).cgroups().limitCpu(draw.between(2, 20));
    draw.last(1_000, 10_000);
  }
}

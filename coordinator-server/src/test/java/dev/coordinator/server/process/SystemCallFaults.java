// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** System calls on files that fail, that take long, or at which the member dies. */
final class SystemCallFaults {

  /** Every call by which the log changes the disk; sockets use others. */
  private static final String SYNC = "fsync,fdatasync";

  private static final String WRITE = "pwrite64";
  private static final String RENAME = "rename,renameat,renameat2";

  /** A member whose disk fails has to stop itself within this time. */
  private static final long STOP_LIMIT_S = 30;

  private SystemCallFaults() {}

  static List<FaultKind> kinds() {
    return List.of(
        FaultKind.ofSystemCalls(
            "kill-at-fsync", (testbed, draw) -> killAt(SYNC, 60, testbed, draw)),
        FaultKind.ofSystemCalls(
            "kill-at-write", (testbed, draw) -> killAt(WRITE, 60, testbed, draw)),
        FaultKind.ofSystemCalls(
            "kill-at-rename", (testbed, draw) -> killAt(RENAME, 3, testbed, draw)),
        FaultKind.ofSystemCalls(
            "kill-at-write-while-running", SystemCallFaults::killAtWriteWhileRunning),
        FaultKind.ofSystemCalls(
            "error-at-fsync", (testbed, draw) -> failAt(SYNC, 40, "EIO", testbed, draw)),
        FaultKind.ofSystemCalls(
            "error-at-write", (testbed, draw) -> failAt(WRITE, 40, "EIO", testbed, draw)),
        FaultKind.ofSystemCalls(
            "error-at-rename", (testbed, draw) -> failAt(RENAME, 2, "EIO", testbed, draw)),
        FaultKind.ofSystemCalls(
            "no-space-at-write", (testbed, draw) -> failAt(WRITE, 40, "ENOSPC", testbed, draw)),
        FaultKind.ofSystemCalls("slow-fsync", SystemCallFaults::slowSync),
        FaultKind.ofSystemCalls("hanging-fsync", SystemCallFaults::hangingSync));
  }

  /** Restarts a member so that it is killed at one of its next calls, perhaps in its start. */
  private static void killAt(String calls, int most, Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    Host host = draw.host(testbed);
    host.kill();
    host.startTraced(inject(calls, "signal=SIGKILL:when=" + draw.spanMs(1, most)));
    draw.last(3_000, 8_000);
  }

  private static void killAtWriteWhileRunning(Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    Host host = draw.host(testbed);
    host.mayEnd();
    host.trace(inject(WRITE + "," + SYNC, "signal=SIGKILL:when=" + draw.spanMs(1, 40)));
    draw.last(1_000, 4_000);
  }

  /** A member that cannot tell what is on its disk must stop, and not try again. */
  private static void failAt(String calls, int most, String error, Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    Host host = draw.host(testbed);
    host.mayEnd();
    Process process = host.trace(inject(calls, "error=" + error + ":when=" + draw.spanMs(1, most)));
    draw.last(1_000, 4_000);
    if (host.sawInjectedError() && !process.waitFor(STOP_LIMIT_S, TimeUnit.SECONDS)) {
      throw new Violation(
          "member %d went on for %d s after %s in one of %s",
          host.memberId(), STOP_LIMIT_S, error, calls);
    }
  }

  private static void slowSync(Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    long delayMs = draw.spanMs(20, 2_000);
    draw.host(testbed).trace(inject(SYNC, "delay_enter=" + delayMs + "ms"));
    draw.last(2_000, 6_000);
  }

  /** For so long that a leader has to give way. */
  private static void hangingSync(Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    draw.host(testbed).trace(inject(SYNC, "delay_enter=30s"));
    draw.last(12_000, 16_000);
  }

  private static List<String> inject(String calls, String what) {
    return List.of("-e", "trace=" + calls, "-e", "inject=" + calls + ":" + what);
  }
}

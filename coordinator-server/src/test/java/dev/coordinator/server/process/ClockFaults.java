// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Wall clocks that jump or run at a wrong rate. Nothing at all may come of it. */
final class ClockFaults {

  private static final List<String> JUMPS = List.of("+1h", "-1h", "+30s", "-30s", "+400d", "-2d");

  /**
   * How much faster than time they run: three times and twenty times as fast, stopped, backwards.
   */
  private static final List<Integer> RATES_PERCENT = List.of(200, 1_900, -100, -300);

  private ClockFaults() {}

  static List<FaultKind> kinds() {
    return List.of(
        kind("clock-jumps", ClockFaults::jump), kind("clock-runs-wrong", ClockFaults::runWrong));
  }

  private static FaultKind kind(String name, Fault fault) {
    return FaultKind.ofProcess(name, Set.of(Need.FAKETIME), fault);
  }

  private static void jump(Testbed testbed, Draw draw) throws IOException, InterruptedException {
    List<Host> hosts = restartSome(testbed, draw);
    int times = draw.between(1, 5);
    for (int i = 0; i < times; i++) {
      for (Host host : hosts) {
        host.clock().set(draw.one(JUMPS));
      }
      draw.last(500, 2_500);
    }
  }

  /** Ten times a second the clock is set to what it would show by now. */
  private static void runWrong(Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    List<Host> hosts = restartSome(testbed, draw);
    int percentTooFast = draw.one(RATES_PERCENT);
    long startNanos = System.nanoTime();
    long endNanos = startNanos + TimeUnit.MILLISECONDS.toNanos(draw.spanMs(1_000, 8_000));
    while (System.nanoTime() - endNanos < 0) {
      double offsetSeconds = (System.nanoTime() - startNanos) / 1e11 * percentTooFast;
      for (Host host : hosts) {
        host.clock().set("%+.3f".formatted(offsetSeconds));
      }
      TimeUnit.MILLISECONDS.sleep(100);
    }
  }

  /** The library that fakes the clock is there from the start of a process, or not at all. */
  private static List<Host> restartSome(Testbed testbed, Draw draw)
      throws IOException, InterruptedException {
    List<Host> hosts = draw.some(draw.between(1, testbed.hosts().size()), testbed.hosts());
    for (Host host : hosts) {
      host.clock().set(Faketime.TRUE_TIME);
      host.kill();
      host.startWithOwnClock();
    }
    draw.last(2_000, 4_000);
    return hosts;
  }
}

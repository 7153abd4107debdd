// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.cli.local.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Benchmarks that get SIGTERM leave no process and no file behind. */
@Tag("process")
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class BenchIT {

  private static final long END_LIMIT_S = 20;

  @TempDir private Path directory;

  @Test
  void oneWithMembersOfItsOwn() throws Exception {
    assertLeavesNothing(
        List.of("locks", "--start", "--sessions", "1", "--warmup", "1h"),
        members -> members.size() == 3);
  }

  @Test
  void oneThatHasFrozenAMember() throws Exception {
    assertLeavesNothing(
        List.of("failover", "--signal", "stop", "--trials", "1000"),
        members -> members.stream().anyMatch(BenchIT::isFrozen));
  }

  private void assertLeavesNothing(
      List<String> benchmark, Predicate<List<ProcessHandle>> isTimeForTheSignal) throws Exception {
    Path home = directory.resolve("home");
    List<String> arguments = new ArrayList<>(List.of("bench"));
    arguments.addAll(benchmark);
    arguments.addAll(List.of("--dir", home.toString()));
    Process bench = ChildJvm.start(ChildJvm.command(List.of(), arguments), log().file());
    List<ProcessHandle> members = List.of();
    try {
      while (!isTimeForTheSignal.test(members)) {
        assertTrue(bench.isAlive(), log()::text);
        TimeUnit.MILLISECONDS.sleep(5);
        members = bench.children().filter(BenchIT::isMember).toList();
      }
      bench.destroy();
      assertTrue(bench.waitFor(END_LIMIT_S, TimeUnit.SECONDS), log()::text);
      assertEquals(List.of(), members.stream().filter(ProcessHandle::isAlive).toList());
      try (Stream<Path> left = Files.list(home)) {
        assertEquals(List.of(), left.toList());
      }
    } finally {
      bench.destroyForcibly();
      members.forEach(ProcessHandle::destroyForcibly);
    }
  }

  /** And not a {@code kill} that the benchmark runs, nor a process that becomes either of them. */
  private static boolean isMember(ProcessHandle process) {
    return status(process).startsWith("Name:\tjava\n");
  }

  /** Whether SIGSTOP has stopped it. */
  private static boolean isFrozen(ProcessHandle process) {
    return status(process).contains("\nState:\tT");
  }

  private static String status(ProcessHandle process) {
    try {
      return Files.readString(Path.of("/proc", Long.toString(process.pid()), "status"));
    } catch (IOException e) {
      return ""; // Ended in the meantime.
    }
  }

  private ChildLog log() {
    return new ChildLog(directory.resolve("log.txt"));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A command that runs under a lock, with this process's input and output. */
final class ChildProcess {

  private final Process process;

  private ChildProcess(Process process) {
    this.process = process;
  }

  /**
   * Starts it.
   *
   * @throws CliException with the exit code that shells use if there is no such command
   */
  static ChildProcess start(List<String> command, Map<String, String> environment) {
    ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
    builder.environment().putAll(environment);
    try {
      return new ChildProcess(builder.start());
    } catch (IOException e) {
      throw new CliException(
          ExitCode.COMMAND_NOT_FOUND, "'" + command.get(0) + "' cannot be run: " + e.getMessage());
    }
  }

  /** Waits for its end. Returns its exit code; 128 and the signal's number if one ended it. */
  int await() throws InterruptedException {
    return process.waitFor();
  }

  /**
   * SIGTERM to it and its descendants; SIGKILL to those that still live after the grace, or when
   * this thread is interrupted.
   */
  void stop(Duration grace) throws InterruptedException {
    // Taken before, since orphans are not found any more.
    List<ProcessHandle> descendants = process.descendants().toList();
    process.destroy();
    descendants.forEach(ProcessHandle::destroy);
    try {
      long end = System.nanoTime() + grace.toNanos();
      process.waitFor(grace.toNanos(), TimeUnit.NANOSECONDS);
      while (descendants.stream().anyMatch(ProcessHandle::isAlive) && System.nanoTime() - end < 0) {
        TimeUnit.MILLISECONDS.sleep(5);
      }
    } finally {
      descendants.forEach(ProcessHandle::destroyForcibly);
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    process.waitFor();
  }
}

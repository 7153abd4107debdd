// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.local;

import dev.coordinator.server.cli.CliException;
import dev.coordinator.server.cli.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A member in a process of its own on this machine, which can be killed, frozen and started again.
 */
public final class MemberProcess {

  private final long id;
  private final Ports ports;
  private final Path directory;
  private final List<String> command;
  private Process process;
  private boolean ordered;

  MemberProcess(long id, Ports ports, Path directory, List<String> command) {
    this.id = id;
    this.ports = ports;
    this.directory = directory;
    this.command = List.copyOf(command);
  }

  public long id() {
    return id;
  }

  public String clientAddress() {
    return "127.0.0.1:" + ports.client();
  }

  public String metricsUrl() {
    return "http://127.0.0.1:" + ports.http() + "/metrics";
  }

  /** Where its data and its log output are. */
  public Path directory() {
    return directory;
  }

  public Path logFile() {
    return directory.resolve("log.txt");
  }

  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process != null && process.isAlive();
  }

  /** Starts it with the data it has. */
  public void start() {
    try {
      Files.createDirectories(directory);
      process = ChildJvm.start(command, logFile());
      ordered = false;
    } catch (IOException e) {
      throw new CliException(
          ExitCode.FAILED, "member " + id + " cannot be started: " + e.getMessage());
    }
  }

  /** SIGKILL. Returns when the process is gone. */
  public void kill() throws InterruptedException {
    ordered = true;
    process.destroyForcibly().waitFor();
  }

  /** SIGSTOP: it keeps its connections and does nothing. */
  public void freeze() throws InterruptedException {
    signal("STOP");
  }

  /** SIGCONT. */
  public void thaw() throws InterruptedException {
    signal("CONT");
  }

  /** The exit code, if the process ended without having been told to. */
  Optional<Integer> exitedByItself() {
    return process == null || process.isAlive() || ordered
        ? Optional.empty()
        : Optional.of(process.exitValue());
  }

  /** SIGTERM, without waiting. */
  void terminate() {
    ordered = true;
    if (isAlive()) {
      process.destroy();
    }
  }

  /** SIGKILL. Returns when the process is gone, also in a thread that was interrupted. */
  void destroy() {
    ordered = true;
    if (isAlive()) {
      process.destroyForcibly().onExit().join();
    }
  }

  /** SIGTERM, and SIGKILL if it does not end in time. */
  public void stop() throws InterruptedException {
    terminate();
    if (!isAlive()) {
      return;
    }
    if (!process.waitFor(5, TimeUnit.SECONDS)) {
      kill();
    }
  }

  private void signal(String name) throws InterruptedException {
    try {
      Process kill =
          new ProcessBuilder("kill", "-" + name, Long.toString(pid())).inheritIO().start();
      if (kill.waitFor() != 0) {
        throw new CliException(ExitCode.FAILED, "kill -" + name + " " + pid() + " failed");
      }
    } catch (IOException e) {
      throw new CliException(ExitCode.FAILED, "kill cannot be run: " + e.getMessage());
    }
  }
}

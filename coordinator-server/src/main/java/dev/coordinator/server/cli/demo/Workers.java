// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.demo;

import dev.coordinator.server.cli.CliException;
import dev.coordinator.server.cli.ExitCode;
import dev.coordinator.server.cli.local.ChildJvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** The worker processes of the demonstration, and the file that they append to. */
final class Workers implements AutoCloseable {

  private static final List<String> JVM_OPTIONS =
      List.of("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

  private final Path directory;
  private final Path file;
  private final List<String> endpoints;
  private final Map<String, Process> processes = new TreeMap<>();

  Workers(Path directory, List<String> endpoints) {
    this.directory = directory;
    this.file = directory.resolve("work.txt");
    this.endpoints = endpoints;
  }

  Path file() {
    return file;
  }

  void start(String name) {
    List<String> arguments =
        List.of(
            "demo",
            "worker",
            "--name",
            name,
            "--file",
            file.toString(),
            "--endpoints",
            String.join(",", endpoints));
    try {
      processes.put(name, ChildJvm.start(ChildJvm.command(JVM_OPTIONS, arguments), logFile(name)));
    } catch (IOException e) {
      throw new CliException(
          ExitCode.FAILED, "worker " + name + " cannot be started: " + e.getMessage());
    }
  }

  long pid(String name) {
    return processes.get(name).pid();
  }

  Path logFile(String name) {
    return directory.resolve("worker-" + name + ".txt");
  }

  /** SIGKILL. Returns when the process is gone. */
  void kill(String name) throws InterruptedException {
    processes.get(name).destroyForcibly().waitFor();
  }

  /** The whole lines of the file. */
  List<String> lines() {
    try {
      if (!Files.exists(file)) {
        return List.of();
      }
      String text = Files.readString(file, StandardCharsets.US_ASCII);
      return text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
    } catch (IOException e) {
      throw new CliException(ExitCode.FAILED, file + " cannot be read: " + e.getMessage());
    }
  }

  FileAudit audit() {
    return FileAudit.of(lines());
  }

  @Override
  public void close() {
    processes.values().forEach(Process::destroy);
    try {
      for (Process process : processes.values()) {
        if (!process.waitFor(3, TimeUnit.SECONDS)) {
          process.destroyForcibly().waitFor();
        }
      }
    } catch (InterruptedException e) {
      processes.values().forEach(Process::destroyForcibly);
      Thread.currentThread().interrupt();
    }
  }
}

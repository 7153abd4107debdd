// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Runs programs of the system, one at a time, and takes no failure for granted. */
final class Shell {

  private Shell() {}

  /** Runs it to its end; returns what it printed. */
  static String run(String... command) throws IOException, InterruptedException {
    return run(List.of(command));
  }

  static String run(List<String> command) throws IOException, InterruptedException {
    Result result = attempt(command);
    if (result.exitCode() != 0) {
      throw new IOException(
          String.join(" ", command) + " ended with " + result.exitCode() + ": " + result.output());
    }
    return result.output();
  }

  /** Runs it to its end; failing is an answer, too. */
  static int exitCode(String... command) throws IOException, InterruptedException {
    return attempt(List.of(command)).exitCode();
  }

  private static Result attempt(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), output.strip());
  }

  private record Result(int exitCode, String output) {}
}

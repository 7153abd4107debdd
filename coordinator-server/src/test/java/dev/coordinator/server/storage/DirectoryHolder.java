// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import dev.coordinator.server.raft.NodeId;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Another process that opens a data directory, says what came of it, and holds it until killed. */
final class DirectoryHolder implements AutoCloseable {

  private final Process process;
  private final String answer;

  DirectoryHolder(Path directory) throws IOException {
    process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                DirectoryHolder.class.getName(),
                directory.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    answer =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))
            .readLine();
  }

  public static void main(String[] arguments) throws IOException {
    Path path = Path.of(arguments[0]);
    try (DataDirectory directory = DataDirectory.open(path, "prod", new NodeId(1))) {
      System.out.println("open " + directory.path());
      System.in.read();
    } catch (StorageException e) {
      System.out.println(e.getMessage());
    }
  }

  /** "open" and the path, or why it was refused. */
  String answer() {
    return answer;
  }

  long pid() {
    return process.pid();
  }

  /** Kills the process, as {@code kill -9} does, and waits until it is gone. */
  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }
}

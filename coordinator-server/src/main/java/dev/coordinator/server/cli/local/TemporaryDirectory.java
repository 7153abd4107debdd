// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.local;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A new directory that is deleted with all that is in it when it is closed. */
public final class TemporaryDirectory implements AutoCloseable {

  private final Path path;

  private TemporaryDirectory(Path path) {
    this.path = path;
  }

  /** Makes one in {@code parent}, or where the system keeps temporary files if that is null. */
  public static TemporaryDirectory in(Path parent, String name) {
    try {
      if (parent == null) {
        return new TemporaryDirectory(Files.createTempDirectory(name));
      }
      Files.createDirectories(parent);
      return new TemporaryDirectory(Files.createTempDirectory(parent, name));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make a temporary directory", e);
    }
  }

  public Path path() {
    return path;
  }

  @Override
  public void close() {
    try {
      delete(path);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + path, e);
    }
  }

  /** Deletes a directory with all that is in it. */
  public static void delete(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(each);
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A wall clock that can be set while a process runs, by libfaketime. The monotonic clock is left
 * alone: it is the one that nobody can set.
 */
final class Faketime {

  static final String TRUE_TIME = "+0";

  private static final String LIBRARY = "faketime/libfaketimeMT.so.1";

  private final Path file;

  /**
   * @param file where the library reads what to do to the clock
   */
  Faketime(Path file) {
    this.file = file;
  }

  /** Where the library is, if it is installed. */
  static Optional<Path> library() {
    return Stream.of("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64")
        .map(directory -> Path.of(directory, LIBRARY))
        .filter(Files::exists)
        .findFirst();
  }

  /**
   * In libfaketime's words: {@code +30s}, {@code -1h}. Its rates, such as {@code +0 x3}, are of no
   * use here: it scales waits by them, too.
   */
  void set(String clock) throws IOException {
    // Never half a file for the process to read.
    Path next = file.resolveSibling(file.getFileName() + ".next");
    Files.writeString(next, clock + "\n");
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
  }

  /** What to put before a command, so that it gets this clock. */
  List<String> prefix() {
    return List.of(
        "env",
        "LD_PRELOAD=" + library().orElseThrow(),
        "DONT_FAKE_MONOTONIC=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
        "FAKETIME_NO_CACHE=1",
        // Else its waits of the JVM hang.
        "FAKETIME_FORCE_MONOTONIC_FIX=0",
        "FAKETIME_TIMESTAMP_FILE=" + file);
  }
}

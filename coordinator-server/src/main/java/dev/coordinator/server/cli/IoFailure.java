// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.util.Locale;

/** What an operation on files that failed says to a person. */
final class IoFailure {

  private IoFailure() {}

  /** One line: what went wrong, and with which file. */
  static String describe(IOException e) {
    String text = e.getMessage() == null ? e.toString() : e.getMessage();
    String line = text.lines().findFirst().orElse(text);
    // Their message is the file alone: the kind of the exception is what went wrong.
    return e instanceof FileSystemException failure && failure.getReason() == null
        ? line + ": " + words(e.getClass().getSimpleName())
        : line;
  }

  /** One line, beginning with what was to be done if the exception tells it. */
  static String describe(UncheckedIOException e) {
    IOException cause = e.getCause();
    boolean tellsMore = !cause.toString().equals(e.getMessage());
    return tellsMore ? e.getMessage() + ": " + describe(cause) : describe(cause);
  }

  /** {@code NoSuchFileException} is "no such file". */
  private static String words(String exception) {
    return exception
        .replaceFirst("Exception$", "")
        .replaceAll("(?<=[a-z])(?=[A-Z])", " ")
        .toLowerCase(Locale.ROOT);
  }
}

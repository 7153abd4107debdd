// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Programs beyond the JDK that some tests need; without one its test fails and says what to
 * install.
 */
public final class ExtraTools {

  private ExtraTools() {}

  /** The path of a program. */
  public static String find(String name, String howToInstall) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .map(directory -> Path.of(directory, name))
        .filter(Files::isExecutable)
        .findFirst()
        .map(Path::toString)
        .orElseGet(() -> fail(name + " is not on the PATH; " + howToInstall));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

/** A failure that one line on stderr explains. */
public final class CliException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final int exitCode;

  public CliException(int exitCode, String message) {
    super(message, null, false, false);
    this.exitCode = exitCode;
  }

  public int exitCode() {
    return exitCode;
  }
}

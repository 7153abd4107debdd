// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

/** A promise that the cluster did not keep. */
final class Violation extends AssertionError {

  private static final long serialVersionUID = 1L;

  Violation(String format, Object... arguments) {
    super(arguments.length == 0 ? format : format.formatted(arguments));
  }
}

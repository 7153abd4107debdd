// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import dev.coordinator.client.CoordinatorException;

/** Exit codes of what the SDK throws. */
final class SdkFailure {

  private SdkFailure() {}

  static int exitCode(CoordinatorException e) {
    return switch (e.reason()) {
      case NO_LEADER, NOT_LEADER, OUTCOME_UNKNOWN, UNREACHABLE -> ExitCode.UNAVAILABLE;
      case INVALID_FIELD, TTL_OUT_OF_RANGE -> ExitCode.USAGE;
      default -> ExitCode.FAILED;
    };
  }
}

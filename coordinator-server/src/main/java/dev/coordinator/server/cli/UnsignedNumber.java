// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** Lease ids and tokens on the command line: unsigned 64-bit numbers, 1 or more. */
final class UnsignedNumber {

  private UnsignedNumber() {}

  static long parse(CommandSpec spec, String label, String text) {
    try {
      long number = Long.parseUnsignedLong(text);
      if (number != 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new ParameterException(
        spec.commandLine(), label + ": '" + text + "' is not a number from 1 up");
  }
}

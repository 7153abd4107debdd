// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.wire;

import dev.coordinator.server.machine.Command;

/** Commands to the bytes of a log entry and back. */
public final class CommandCodec {

  private CommandCodec() {}

  public static byte[] encode(Command command) {
    throw new UnsupportedOperationException();
  }

  /**
   * @throws IllegalArgumentException if the bytes are not a command: the log is damaged
   */
  public static Command decode(byte[] payload) {
    throw new UnsupportedOperationException();
  }
}

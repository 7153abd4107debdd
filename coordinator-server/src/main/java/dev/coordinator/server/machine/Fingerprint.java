// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

/**
 * A 64-bit hash (FNV-1a) of what makes two requests of one lease the same.
 *
 * <p>How long an acquisition waits is left out: a retry has less time left. Fingerprints are
 * replicated state, so this function never changes.
 */
final class Fingerprint {

  private static final long OFFSET_BASIS = 0xcbf29ce484222325L;
  private static final long PRIME = 0x100000001b3L;

  private long hash = OFFSET_BASIS;

  private Fingerprint() {}

  static long of(Command.AcquireLock command) {
    return new Fingerprint()
        .add(1)
        .add(command.name())
        .add(command.owner())
        .add(command.metadata())
        .hash;
  }

  static long of(Command.ReleaseLock command) {
    return new Fingerprint()
        .add(2)
        .add(command.name())
        .add(command.owner())
        .add(command.token())
        .hash;
  }

  private Fingerprint add(long value) {
    for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
      addByte(value >>> shift);
    }
    return this;
  }

  /** With its length, so that neighbouring strings cannot trade characters. */
  private Fingerprint add(String value) {
    add(value.length());
    for (int i = 0; i < value.length(); i++) {
      addByte(value.charAt(i));
      addByte(value.charAt(i) >>> Byte.SIZE);
    }
    return this;
  }

  private void addByte(long value) {
    hash = (hash ^ (value & 0xff)) * PRIME;
  }
}

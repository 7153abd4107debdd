// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

/**
 * Tells what a machine may change in place. Whatever bears the present number was made since the
 * last freeze and is known to nobody else; what is older may be part of a frozen state and is
 * copied before it is changed.
 */
final class Generation {

  private long number = 1;

  long number() {
    return number;
  }

  /** From now on everything that exists is frozen. */
  void freeze() {
    number++;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.storage.SimulatedDisk;
import dev.coordinator.server.storage.SimulatedDisk.Operation;
import java.io.IOException;
import java.util.function.Consumer;

/**
 * What goes wrong at the disk of one member: it can refuse one operation, or the process can die
 * right before or right after one. Set as a trap that springs at some operation to come.
 */
final class DiskFaults implements SimulatedDisk.Fault {

  /** The process is gone: nothing after this reaches the disk. */
  static final class Killed extends RuntimeException {

    private static final long serialVersionUID = 1L;

    Killed() {
      super("killed at its disk", null, false, false);
    }
  }

  private enum Trap {
    DIES_BEFORE,
    DIES_AFTER,
    REFUSES
  }

  private final Runnable onDeath;
  private final Consumer<Operation> onRefusal;
  private Trap trap;
  private Operation at;
  private int passesBefore;
  private boolean dead;

  /**
   * @param onDeath told at once when the process dies at the disk
   * @param onRefusal told which operation fails
   */
  DiskFaults(Runnable onDeath, Consumer<Operation> onRefusal) {
    this.onDeath = onDeath;
    this.onRefusal = onRefusal;
  }

  /** The process dies at the next operation of this kind but {@code passes}. */
  void dieAt(Operation operation, int passes, boolean before) {
    set(before ? Trap.DIES_BEFORE : Trap.DIES_AFTER, operation, passes);
  }

  /** The next operation of this kind fails, and only that one. */
  void refuse(Operation operation) {
    set(Trap.REFUSES, operation, 0);
  }

  private void set(Trap newTrap, Operation operation, int passes) {
    trap = newTrap;
    at = operation;
    passesBefore = passes;
  }

  boolean hasKilled() {
    return dead;
  }

  /** A new process uses the disk; a trap that has not sprung stays. */
  void revive() {
    dead = false;
  }

  void calm() {
    trap = null;
  }

  @Override
  public void before(Operation operation, String file) throws IOException {
    if (dead) {
      throw new Killed();
    }
    if (trap == null || operation != at || passesBefore-- > 0) {
      return;
    }
    Trap sprung = trap;
    trap = null;
    if (sprung == Trap.REFUSES) {
      onRefusal.accept(operation);
      throw new IOException("Input/output error");
    }
    dead = true;
    onDeath.run();
    if (sprung == Trap.DIES_BEFORE) {
      throw new Killed();
    }
  }
}

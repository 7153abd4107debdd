// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.history;

import java.util.Arrays;

/**
 * One way in which things can stand: the state of the lock, and which of the pending operations
 * have taken effect. All that returned before have.
 */
final class Configuration {

  private static final int[] NONE = {};

  static final Configuration INITIAL = new Configuration(LockState.NEW, NONE);

  private final LockState state;

  /** Rising. */
  private final int[] done;

  private Configuration(LockState state, int[] done) {
    this.state = state;
    this.done = done;
  }

  LockState state() {
    return state;
  }

  /** The numbers of the operations, rising; not to be changed. */
  int[] done() {
    return done;
  }

  boolean has(int operation) {
    return Arrays.binarySearch(done, operation) >= 0;
  }

  Configuration in(LockState other) {
    return new Configuration(other, done);
  }

  Configuration with(int operation) {
    int place = -Arrays.binarySearch(done, operation) - 1;
    int[] more = new int[done.length + 1];
    System.arraycopy(done, 0, more, 0, place);
    more[place] = operation;
    System.arraycopy(done, place, more, place + 1, done.length - place);
    return new Configuration(state, more);
  }

  Configuration without(int operation) {
    int place = Arrays.binarySearch(done, operation);
    if (place < 0) {
      return this;
    }
    int[] fewer = new int[done.length - 1];
    System.arraycopy(done, 0, fewer, 0, place);
    System.arraycopy(done, place + 1, fewer, place, fewer.length - place);
    return new Configuration(state, fewer.length == 0 ? NONE : fewer);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Configuration that
        && state.equals(that.state)
        && Arrays.equals(done, that.done);
  }

  @Override
  public int hashCode() {
    return 31 * state.hashCode() + Arrays.hashCode(done);
  }

  @Override
  public String toString() {
    return state + " " + Arrays.toString(done);
  }
}

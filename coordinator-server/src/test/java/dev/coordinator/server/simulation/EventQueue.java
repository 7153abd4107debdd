// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.util.Arrays;

/**
 * What will happen, in order of time and, at one moment, of its number.
 *
 * <p>A heap with four children to a node whose keys lie in arrays: a run puts in and takes out some
 * hundred thousand events, and would spend a good part of its time on following references.
 */
final class EventQueue {

  private static final int CHILDREN = 4;

  private Runnable[] actions = new Runnable[1 << 8];

  /** The time and the number of each, side by side, as they are compared together. */
  private long[] keys = new long[2 * actions.length];

  private int size;

  boolean isEmpty() {
    return size == 0;
  }

  /** When the first event happens. */
  long firstNanos() {
    return keys[0];
  }

  /** The number of the first event. */
  long firstNumber() {
    return keys[1];
  }

  void add(long atNanos, long number, Runnable action) {
    if (size == actions.length) {
      keys = Arrays.copyOf(keys, 4 * size);
      actions = Arrays.copyOf(actions, 2 * size);
    }
    int place = size++;
    while (place > 0) {
      int parent = (place - 1) / CHILDREN;
      if (!isBefore(atNanos, number, parent)) {
        break;
      }
      move(parent, place);
      place = parent;
    }
    put(place, atNanos, number, action);
  }

  Runnable removeFirst() {
    Runnable first = actions[0];
    size--;
    long atNanos = keys[2 * size];
    long number = keys[2 * size + 1];
    Runnable last = actions[size];
    actions[size] = null;
    if (size > 0) {
      put(sinkHole(atNanos, number), atNanos, number, last);
    }
    return first;
  }

  /** Moves earlier events up from the empty top to where one of this time and number belongs. */
  private int sinkHole(long atNanos, long number) {
    int hole = 0;
    for (int child = 1; child < size; child = CHILDREN * hole + 1) {
      int earliest = child;
      int end = Math.min(child + CHILDREN, size);
      for (int other = child + 1; other < end; other++) {
        if (isBefore(keys[2 * other], keys[2 * other + 1], earliest)) {
          earliest = other;
        }
      }
      if (isBefore(atNanos, number, earliest)) {
        break;
      }
      move(earliest, hole);
      hole = earliest;
    }
    return hole;
  }

  private boolean isBefore(long atNanos, long number, int place) {
    long otherNanos = keys[2 * place];
    return atNanos != otherNanos ? atNanos < otherNanos : number < keys[2 * place + 1];
  }

  private void move(int from, int to) {
    put(to, keys[2 * from], keys[2 * from + 1], actions[from]);
  }

  private void put(int place, long atNanos, long number, Runnable action) {
    keys[2 * place] = atNanos;
    keys[2 * place + 1] = number;
    actions[place] = action;
  }
}

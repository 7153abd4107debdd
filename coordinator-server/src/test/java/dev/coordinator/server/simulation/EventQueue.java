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

  private long[] timesNanos = new long[1 << 8];
  private long[] numbers = new long[timesNanos.length];
  private Runnable[] actions = new Runnable[timesNanos.length];
  private int size;

  boolean isEmpty() {
    return size == 0;
  }

  /** When the first event happens. */
  long firstNanos() {
    return timesNanos[0];
  }

  /** The number of the first event. */
  long firstNumber() {
    return numbers[0];
  }

  void add(long atNanos, long number, Runnable action) {
    if (size == actions.length) {
      timesNanos = Arrays.copyOf(timesNanos, 2 * size);
      numbers = Arrays.copyOf(numbers, 2 * size);
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
    long atNanos = timesNanos[size];
    long number = numbers[size];
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
        if (isBefore(timesNanos[other], numbers[other], earliest)) {
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
    long otherNanos = timesNanos[place];
    return atNanos != otherNanos ? atNanos < otherNanos : number < numbers[place];
  }

  private void move(int from, int to) {
    put(to, timesNanos[from], numbers[from], actions[from]);
  }

  private void put(int place, long atNanos, long number, Runnable action) {
    timesNanos[place] = atNanos;
    numbers[place] = number;
    actions[place] = action;
  }
}

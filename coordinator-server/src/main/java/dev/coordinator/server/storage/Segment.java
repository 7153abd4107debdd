// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

/**
 * The segment that is being appended to.
 *
 * @param end where the next frame goes
 * @param capacity what was preallocated, so that a frame within it changes no metadata
 */
record Segment(long number, DiskFile file, long end, long capacity) {

  boolean fits(long frameBytes) {
    return end + frameBytes <= capacity;
  }

  Segment withEnd(long newEnd) {
    return new Segment(number, file, newEnd, capacity);
  }
}

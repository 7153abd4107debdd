// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/**
 * A place in the log, and the term of the entry there.
 *
 * @param term 0 exactly at index 0, before the first entry
 */
public record LogPosition(long index, long term) {

  /** Before the first entry, where every log agrees. */
  public static final LogPosition START = new LogPosition(0, 0);

  /** As {@code index^term}, the form used in traces. */
  @Override
  public String toString() {
    return index + "^" + term;
  }
}

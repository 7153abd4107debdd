// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.util.ArrayDeque;
import java.util.Deque;

/** The last lines of what happened in a run, for people; keeps nothing unless asked to. */
final class Story {

  static final Story SILENT = new Story(0);

  private final int maxLines;
  private final Deque<String> lines = new ArrayDeque<>();

  Story(int maxLines) {
    this.maxLines = maxLines;
  }

  void tell(long nowMs, String format, Object... args) {
    if (maxLines == 0) {
      return;
    }
    if (lines.size() == maxLines) {
      lines.removeFirst();
    }
    lines.addLast(String.format("[%7.3f s] ", nowMs / 1_000.0) + String.format(format, args));
  }

  @Override
  public String toString() {
    return String.join("\n", lines);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.storage.PaddedNumber;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The names of snapshot files, which tell their last entry and sort by it. */
final class SnapshotName {

  /** A long has no more. */
  private static final int DIGITS = 19;

  private static final Pattern NAME = Pattern.compile("([0-9]{19})-([0-9]{19})\\.snapshot");

  private SnapshotName() {}

  static String of(LogPosition last) {
    return PaddedNumber.of(last.index(), DIGITS)
        + "-"
        + PaddedNumber.of(last.term(), DIGITS)
        + ".snapshot";
  }

  /** The last entry of the snapshot, or null if the file is none. */
  static LogPosition parse(String file) {
    Matcher name = NAME.matcher(file);
    if (!name.matches()) {
      return null;
    }
    try {
      return new LogPosition(Long.parseLong(name.group(1)), Long.parseLong(name.group(2)));
    } catch (NumberFormatException e) {
      return null; // More than a long holds: not a name of ours.
    }
  }
}

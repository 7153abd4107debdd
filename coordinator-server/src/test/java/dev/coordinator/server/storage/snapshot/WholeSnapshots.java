// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.storage.Disk;
import dev.coordinator.server.storage.StorageException;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/** What is left of the snapshots on a disk that may be damaged. */
public final class WholeSnapshots {

  private WholeSnapshots() {}

  /**
   * The index from which a member must be able to go on whatever became of its newest snapshot: of
   * the one before, 0 if there was none, and -1 if that one is damaged.
   */
  public static long indexBeforeNewest(Disk disk) throws IOException {
    List<String> newestFirst =
        disk.list().stream()
            .filter(file -> SnapshotName.parse(file) != null)
            .sorted(Comparator.reverseOrder())
            .toList();
    if (newestFirst.size() < 2) {
      return 0;
    }
    String before = newestFirst.get(1);
    try {
      WholeFile.check(disk, before);
      return Objects.requireNonNull(SnapshotName.parse(before)).index();
    } catch (StorageException e) {
      return -1;
    }
  }
}

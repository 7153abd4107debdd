// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.storage.DiskFile;
import java.io.IOException;

/** Makes exports of any file, for tests of what is done with them. */
public final class Exports {

  private Exports() {}

  public static SnapshotExport of(DiskFile file) throws IOException {
    return new SnapshotExport(new LogPosition(40, 3), file);
  }
}

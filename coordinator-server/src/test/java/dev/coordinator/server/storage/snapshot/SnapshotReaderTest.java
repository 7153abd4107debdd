// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.coordinator.server.storage.StorageException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Snapshot files that stand where nobody can write. */
class SnapshotReaderTest {

  /** The file of a running program is one that not even root may open to write. */
  @Test
  void aFileNeedNotBeWritable() {
    Path program = Path.of(System.getProperty("java.home"), "bin", "java");
    StorageException refusal =
        assertThrows(StorageException.class, () -> SnapshotReader.read(program));
    assertEquals(program + " is damaged: it does not end as a snapshot does", refusal.getMessage());
  }
}

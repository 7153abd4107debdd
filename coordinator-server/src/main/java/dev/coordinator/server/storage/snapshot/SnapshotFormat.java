// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.wire.SnapshotTables;
import java.io.Closeable;
import java.io.IOException;

/** How the tables of a snapshot become the content of one file of a directory, and back. */
public interface SnapshotFormat {

  /**
   * The tables of an open file. Rows that make no sense are an {@link IllegalArgumentException}.
   */
  interface OpenTables extends SnapshotTables, Closeable {}

  /**
   * Writes a new file, with the tables in the order of {@link SnapshotTables#NAMES}. It need not be
   * durable yet; after an exception a part of it may be there.
   */
  void write(String file, SnapshotTables tables) throws IOException;

  /**
   * Opens a file that is known to be whole. What stands behind the content that was written is
   * ignored.
   *
   * @throws dev.coordinator.server.storage.StorageException if it cannot be read in this format
   */
  OpenTables open(String file) throws IOException;
}

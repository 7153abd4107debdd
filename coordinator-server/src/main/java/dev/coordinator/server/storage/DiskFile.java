// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** An open file of a {@link Disk}, read and written at explicit positions. */
public interface DiskFile extends Closeable {

  long size() throws IOException;

  /** Fills the buffer from the position on, or up to the end of the file. */
  void read(ByteBuffer target, long position) throws IOException;

  /** Writes all that remains in the buffer; the file grows as needed. */
  void write(ByteBuffer source, long position) throws IOException;

  /** Returns when everything written, and the size, survives a power cut. */
  void force() throws IOException;
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.storage.Disk;
import dev.coordinator.server.storage.DiskFile;
import dev.coordinator.server.storage.StorageException;
import dev.coordinator.server.wire.SnapshotTables;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The tables one after the other, each as its number of rows and the rows, on any {@link Disk}: for
 * simulated ones, which MapDB cannot write to.
 */
public final class SequentialSnapshotFormat implements SnapshotFormat {

  /** So small that a file takes several writes, each of which may be the last one. */
  private static final int PIECE_BYTES = 1 << 10;

  private final Disk disk;

  public SequentialSnapshotFormat(Disk disk) {
    this.disk = disk;
  }

  @Override
  public void write(String file, SnapshotTables tables) throws IOException {
    ByteBuffer content = ByteBuffer.wrap(encode(tables));
    try (DiskFile open = disk.create(file)) {
      for (int done = 0; done < content.capacity(); done = content.limit()) {
        content.limit(Math.min(done + PIECE_BYTES, content.capacity())).position(done);
        open.write(content, done);
      }
    }
  }

  private static byte[] encode(SnapshotTables tables) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream content = new DataOutputStream(bytes);
    for (String table : SnapshotTables.NAMES) {
      List<SnapshotTables.Row> rows = new ArrayList<>();
      tables.rows(table).forEachRemaining(rows::add);
      content.writeInt(rows.size());
      for (SnapshotTables.Row row : rows) {
        content.writeInt(row.key().length);
        content.write(row.key());
        content.writeInt(row.value().length);
        content.write(row.value());
      }
    }
    return bytes.toByteArray();
  }

  @Override
  public OpenTables open(String file) throws IOException {
    ByteBuffer content;
    try (DiskFile open = disk.open(file)) {
      content = ByteBuffer.allocate((int) open.size());
      open.read(content, 0);
      content.flip();
    }
    Map<String, List<SnapshotTables.Row>> tables;
    try {
      tables = decode(content);
    } catch (BufferUnderflowException | NegativeArraySizeException e) {
      throw new StorageException(disk.describe(file) + " makes no sense: " + e, e);
    }
    return new OpenTables() {
      @Override
      public Iterator<Row> rows(String table) {
        return tables.get(table).iterator();
      }

      @Override
      public void close() {}
    };
  }

  private static Map<String, List<SnapshotTables.Row>> decode(ByteBuffer content) {
    Map<String, List<SnapshotTables.Row>> tables = new TreeMap<>();
    for (String table : SnapshotTables.NAMES) {
      List<SnapshotTables.Row> rows = new ArrayList<>();
      for (int count = content.getInt(); count > 0; count--) {
        rows.add(new SnapshotTables.Row(bytes(content), bytes(content)));
      }
      tables.put(table, rows);
    }
    return tables;
  }

  private static byte[] bytes(ByteBuffer content) {
    byte[] bytes = new byte[content.getInt()];
    content.get(bytes);
    return bytes;
  }
}

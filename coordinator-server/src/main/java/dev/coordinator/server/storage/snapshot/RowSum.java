// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.wire.SnapshotTables;
import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.zip.CRC32C;

/**
 * Tables that add up the rows which are read from them, so that what a file gives back can be held
 * against what was written.
 */
final class RowSum implements SnapshotTables {

  private final SnapshotTables tables;
  private final CRC32C crc = new CRC32C();
  private long rows;

  RowSum(SnapshotTables tables) {
    this.tables = tables;
  }

  /** Reads all rows of all tables. */
  static RowSum of(SnapshotTables tables) {
    RowSum sum = new RowSum(tables);
    for (String table : NAMES) {
      sum.rows(table).forEachRemaining(row -> {});
    }
    return sum;
  }

  @Override
  public Iterator<Row> rows(String table) {
    Iterator<Row> source = tables.rows(table);
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return source.hasNext();
      }

      @Override
      public Row next() {
        Row row = source.next();
        add(row);
        return row;
      }
    };
  }

  private void add(Row row) {
    rows++;
    crc.update(
        ByteBuffer.allocate(2 * Integer.BYTES)
            .putInt(row.key().length)
            .putInt(row.value().length)
            .flip());
    crc.update(row.key());
    crc.update(row.value());
  }

  boolean equalTo(RowSum other) {
    return rows == other.rows && crc.getValue() == other.crc.getValue();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.storage.StorageException;
import dev.coordinator.server.wire.SnapshotTables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.Supplier;
import org.mapdb.DB;
import org.mapdb.DBException;
import org.mapdb.DBMaker;
import org.mapdb.Serializer;

/**
 * Each table as a sorted map in a MapDB file, which is filled in the order of keys, closed, and
 * from then on opened for reading only.
 *
 * <p>Without transactions, without memory mapping, which would keep a deleted file on disk until it
 * is collected, and without MapDB's file lock: the data directory has one.
 */
public final class MapDbSnapshotFormat implements SnapshotFormat {

  private final Path directory;

  public MapDbSnapshotFormat(Path directory) {
    this.directory = directory;
  }

  @Override
  public void write(String file, SnapshotTables tables) throws IOException {
    Path path = directory.resolve(file);
    if (Files.exists(path)) {
      throw new IOException(path + " is there already");
    }
    try (DB db = maker(path).make()) {
      for (String table : SnapshotTables.NAMES) {
        fill(db, table, tables.rows(table));
      }
    } catch (DBException e) {
      throw new IOException("cannot write " + path + ": " + e.getMessage(), e);
    }
  }

  private static void fill(DB db, String table, Iterator<SnapshotTables.Row> rows) {
    var sink = map(db, table).createFromSink();
    while (rows.hasNext()) {
      SnapshotTables.Row row = rows.next();
      sink.put(row.key(), row.value());
    }
    sink.create();
  }

  @Override
  public OpenTables open(String file) throws IOException {
    Path path = directory.resolve(file);
    try {
      return new OpenDb(maker(path).readOnly().make());
    } catch (RuntimeException e) {
      // MapDB has many for a file that it cannot make sense of.
      throw new StorageException(path + " cannot be read: " + e, e);
    }
  }

  private static DBMaker.Maker maker(Path path) {
    return DBMaker.fileDB(path.toFile()).fileChannelEnable().fileLockDisable().concurrencyDisable();
  }

  private static DB.TreeMapMaker<byte[], byte[]> map(DB db, String table) {
    return db.treeMap(table)
        .keySerializer(Serializer.BYTE_ARRAY)
        .valueSerializer(Serializer.BYTE_ARRAY);
  }

  private record OpenDb(DB db) implements OpenTables {

    @Override
    public Iterator<Row> rows(String table) {
      Iterator<Map.Entry<byte[], byte[]>> entries =
          sensibly(table, () -> map(db, table).open().entryIterator());
      return new Iterator<>() {
        @Override
        public boolean hasNext() {
          return sensibly(table, entries::hasNext);
        }

        @Override
        public Row next() {
          Map.Entry<byte[], byte[]> entry = sensibly(table, entries::next);
          return new Row(entry.getKey(), entry.getValue());
        }
      };
    }

    private static <T> T sensibly(String table, Supplier<T> read) {
      try {
        return read.get();
      } catch (NoSuchElementException e) {
        throw e;
      } catch (RuntimeException e) {
        throw new IllegalArgumentException("table " + table + " cannot be read: " + e, e);
      }
    }

    @Override
    public void close() {
      db.close();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.wire;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.coordinator.internal.v1.StoredLease;
import dev.coordinator.internal.v1.StoredLock;
import dev.coordinator.internal.v1.StoredSnapshot;
import dev.coordinator.server.machine.LeaseState;
import dev.coordinator.server.machine.ListedState;
import dev.coordinator.server.machine.LockState;
import dev.coordinator.server.machine.MachineState;
import dev.coordinator.server.raft.SnapshotMeta;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.function.Function;

/**
 * Snapshots to the tables of a file and back. Members with equal states write equal bytes.
 *
 * <p>What is read is checked row by row; a state whose rows contradict each other is refused by the
 * machine that is to begin with it.
 */
public final class SnapshotCodec {

  /** A snapshot as read. */
  public record Snapshot(SnapshotMeta meta, MachineState state) {}

  private static final int FORMAT = 2;
  private static final String META = "meta";
  private static final String LEASES = "leases";
  private static final String LOCKS = "locks";

  /** The only key of the table of meta data. */
  private static final String SNAPSHOT = "snapshot";

  private SnapshotCodec() {}

  /**
   * The rows are made while they are read, each time anew.
   *
   * @throws IllegalArgumentException if {@code meta} is not that of the state
   */
  public static SnapshotTables encode(SnapshotMeta meta, MachineState state) {
    Fields.require(
        meta.index() == state.appliedIndex(),
        "snapshot.last_index",
        "is that of the state, " + state.appliedIndex(),
        Long.toString(meta.index()));
    Fields.require(
        meta.clusterTimeMs() == state.clusterTimeMs(),
        "snapshot.cluster_time_ms",
        "is that of the state, " + state.clusterTimeMs(),
        Long.toString(meta.clusterTimeMs()));
    return table ->
        switch (table) {
          case META -> Collections.singletonList(metaRow(meta, state)).iterator();
          case LEASES -> rows(state.leases(), SnapshotCodec::row);
          case LOCKS -> rows(state.locks(), SnapshotCodec::row);
          default -> throw new IllegalArgumentException("unknown table " + table);
        };
  }

  /**
   * @throws IllegalArgumentException naming the table, the key and the rule that it breaks
   */
  public static Snapshot decode(SnapshotTables tables) {
    StoredSnapshot stored = storedSnapshot(tables);
    SnapshotMeta meta = meta(stored);
    List<LeaseState> leases = leases(tables.rows(LEASES), meta, stored.getLeaseCount());
    List<LockState> locks = locks(tables.rows(LOCKS), meta, stored.getLockCount());
    return new Snapshot(meta, new ListedState(meta.index(), meta.clusterTimeMs(), leases, locks));
  }

  /**
   * Only what the protocol must know.
   *
   * @throws IllegalArgumentException naming the table, the key and the rule that it breaks
   */
  public static SnapshotMeta decodeMeta(SnapshotTables tables) {
    return meta(storedSnapshot(tables));
  }

  // Writing.

  private static SnapshotTables.Row metaRow(SnapshotMeta meta, MachineState state) {
    StoredSnapshot snapshot =
        StoredSnapshot.newBuilder()
            .setFormat(FORMAT)
            .setInfo(MembershipCodec.encode(meta))
            .setLeaseCount(state.leaseCount())
            .setLockCount(state.lockCount())
            .build();
    return new SnapshotTables.Row(bytes(SNAPSHOT), snapshot.toByteArray());
  }

  private static SnapshotTables.Row row(LeaseState lease) {
    return new SnapshotTables.Row(
        ByteBuffer.allocate(Long.BYTES).putLong(lease.id()).array(),
        LeaseRow.encode(lease).toByteArray());
  }

  private static SnapshotTables.Row row(LockState lock) {
    return new SnapshotTables.Row(bytes(lock.name()), LockRow.encode(lock).toByteArray());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static <T> Iterator<SnapshotTables.Row> rows(
      Iterator<T> states, Function<T, SnapshotTables.Row> row) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return states.hasNext();
      }

      @Override
      public SnapshotTables.Row next() {
        return row.apply(states.next());
      }
    };
  }

  // Reading.

  private static StoredSnapshot storedSnapshot(SnapshotTables tables) {
    Iterator<SnapshotTables.Row> rows = tables.rows(META);
    if (!rows.hasNext()) {
      throw broken(META, SNAPSHOT, "is present", null);
    }
    SnapshotTables.Row row = rows.next();
    String key = text(META, row.key());
    if (!key.equals(SNAPSHOT) || rows.hasNext()) {
      throw broken(META, key, "is alone and named " + SNAPSHOT, null);
    }
    try {
      return StoredSnapshot.parseFrom(row.value());
    } catch (InvalidProtocolBufferException e) {
      throw broken(META, SNAPSHOT, "is not a protobuf message: " + e.getMessage(), e);
    }
  }

  private static SnapshotMeta meta(StoredSnapshot stored) {
    // First, because what follows may mean something else in another format.
    if (stored.getFormat() != FORMAT) {
      throw broken(
          META,
          SNAPSHOT,
          "format is %d, which is all that this version knows, not %s; start the version that wrote it"
              .formatted(FORMAT, Integer.toUnsignedString(stored.getFormat())),
          null);
    }
    try {
      Fields.requireKnownFields(stored, SNAPSHOT);
      Fields.require(stored.hasInfo(), "info", "is present", "absent");
      return MembershipCodec.decode(stored.getInfo());
    } catch (IllegalArgumentException e) {
      throw broken(META, SNAPSHOT, e.getMessage(), e);
    }
  }

  private static List<LeaseState> leases(
      Iterator<SnapshotTables.Row> rows, SnapshotMeta meta, int count) {
    List<LeaseState> leases = new ArrayList<>();
    long before = 0;
    while (rows.hasNext()) {
      SnapshotTables.Row row = rows.next();
      if (row.key().length != Long.BYTES) {
        throw broken(LEASES, "key", "has 8 bytes, not " + row.key().length, null);
      }
      long id = ByteBuffer.wrap(row.key()).getLong();
      String key = Long.toUnsignedString(id);
      if (id <= before || id > meta.index()) {
        throw broken(LEASES, key, "rises from row to row, from 1 to " + meta.index(), null);
      }
      before = id;
      try {
        leases.add(LeaseRow.decode(id, StoredLease.parseFrom(row.value())));
      } catch (InvalidProtocolBufferException e) {
        throw broken(LEASES, key, "is not a protobuf message: " + e.getMessage(), e);
      } catch (IllegalArgumentException e) {
        throw broken(LEASES, key, e.getMessage(), e);
      }
    }
    requireCount(LEASES, count, leases.size());
    return leases;
  }

  private static List<LockState> locks(
      Iterator<SnapshotTables.Row> rows, SnapshotMeta meta, int count) {
    List<LockState> locks = new ArrayList<>();
    byte[] before = {};
    while (rows.hasNext()) {
      SnapshotTables.Row row = rows.next();
      String name = text(LOCKS, row.key());
      if (Arrays.compareUnsigned(row.key(), before) <= 0) {
        throw broken(LOCKS, name, "rises from row to row and is not empty", null);
      }
      before = row.key();
      try {
        locks.add(LockRow.decode(name, StoredLock.parseFrom(row.value()), meta));
      } catch (InvalidProtocolBufferException e) {
        throw broken(LOCKS, name, "is not a protobuf message: " + e.getMessage(), e);
      } catch (IllegalArgumentException e) {
        throw broken(LOCKS, name, e.getMessage(), e);
      }
    }
    requireCount(LOCKS, count, locks.size());
    return locks;
  }

  private static String text(String table, byte[] key) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(key)).toString();
    } catch (CharacterCodingException e) {
      throw broken(table, HexFormat.of().formatHex(key), "is UTF-8", e);
    }
  }

  private static void requireCount(String table, int expected, int found) {
    if (found != expected) {
      throw new IllegalArgumentException(
          "table %s has the %s rows that the meta data tells, not %d"
              .formatted(table, Integer.toUnsignedString(expected), found));
    }
  }

  private static IllegalArgumentException broken(
      String table, String key, String problem, Exception cause) {
    return new IllegalArgumentException(
        "table %s, key \"%s\": %s".formatted(table, key, problem), cause);
  }
}

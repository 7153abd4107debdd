// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.EntryKind;
import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.WriteBatch;
import dev.coordinator.server.wire.MembershipCodec;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The records inside a frame, one after the other without padding.
 *
 * <pre>
 *   hard state   type 1 (1), term (8), voted for (8)
 *   entry        type 2 (1), kind (1), index (8), term (8), cluster time (8), length (4), payload
 *   base         type 3 (1), index (8), term (8): the log begins anew behind this place
 * </pre>
 */
final class RecordCodec {

  static final int HARD_STATE_BYTES = 17;

  private static final byte HARD_STATE = 1;
  private static final byte ENTRY = 2;
  private static final byte BASE = 3;
  private static final int ENTRY_HEADER_BYTES = 30;
  private static final int BASE_BYTES = 17;

  private static final byte NO_OP = 0;
  private static final byte COMMAND = 1;
  private static final byte CONFIGURATION = 2;

  private RecordCodec() {}

  static long bytes(WriteBatch batch) {
    long bytes = batch.hardState() == null ? 0 : HARD_STATE_BYTES;
    bytes += batch.base() == null ? 0 : BASE_BYTES;
    List<Entry> entries = batch.entries();
    for (int i = 0; i < entries.size(); i++) {
      bytes += ENTRY_HEADER_BYTES + content(entries.get(i)).length;
    }
    return bytes;
  }

  static int records(WriteBatch batch) {
    return batch.entries().size()
        + (batch.hardState() == null ? 0 : 1)
        + (batch.base() == null ? 0 : 1);
  }

  static void encode(HardState hardState, ByteBuffer target) {
    target.put(HARD_STATE).putLong(hardState.term()).putLong(hardState.votedFor().value());
  }

  static void encodeBase(LogPosition base, ByteBuffer target) {
    target.put(BASE).putLong(base.index()).putLong(base.term());
  }

  static void encode(Entry entry, ByteBuffer target) {
    byte[] content = content(entry);
    target
        .put(ENTRY)
        .put(code(entry.kind()))
        .putLong(entry.index())
        .putLong(entry.term())
        .putLong(entry.clusterTimeMs())
        .putInt(content.length)
        .put(content);
  }

  /** Configurations are so rare that they may be encoded twice: to measure, and to write. */
  private static byte[] content(Entry entry) {
    return entry.kind() == EntryKind.CONFIGURATION
        ? MembershipCodec.toBytes(entry.membership())
        : entry.payload();
  }

  /**
   * Hands the records of a frame to the replay, in order.
   *
   * @param records holds them from its position to its limit
   * @throws IllegalArgumentException if they do not make sense
   */
  static void decode(ByteBuffer records, int count, LogReplay replay) {
    for (int i = 0; i < count; i++) {
      byte type = take(records, 1).get();
      if (type == HARD_STATE) {
        take(records, HARD_STATE_BYTES - 1);
        replay.accept(new HardState(records.getLong(), new NodeId(records.getLong())));
      } else if (type == ENTRY) {
        replay.accept(decodeEntry(records));
      } else if (type == BASE) {
        take(records, BASE_BYTES - 1);
        replay.acceptBase(new LogPosition(records.getLong(), records.getLong()));
      } else {
        throw new IllegalArgumentException("record " + i + " has the unknown type " + type);
      }
    }
    if (records.hasRemaining()) {
      throw new IllegalArgumentException(
          records.remaining() + " bytes are left after the last record");
    }
  }

  private static Entry decodeEntry(ByteBuffer records) {
    take(records, ENTRY_HEADER_BYTES - 1);
    EntryKind kind = kind(records.get());
    long index = records.getLong();
    long term = records.getLong();
    long clusterTimeMs = records.getLong();
    int length = records.getInt();
    if (length < 0) {
      throw new IllegalArgumentException("entry " + index + " has the length " + length);
    }
    take(records, length);
    byte[] content = new byte[length];
    records.get(content);
    return kind == EntryKind.CONFIGURATION
        ? Entry.configuration(index, term, clusterTimeMs, MembershipCodec.parseMembership(content))
        : new Entry(kind, index, term, clusterTimeMs, content, null);
  }

  private static ByteBuffer take(ByteBuffer records, int bytes) {
    if (records.remaining() < bytes) {
      throw new IllegalArgumentException("a record is longer than its frame");
    }
    return records;
  }

  // Codes of their own, so that reordering the enum does not change the format.

  private static byte code(EntryKind kind) {
    if (kind == EntryKind.NO_OP) {
      return NO_OP;
    }
    return kind == EntryKind.COMMAND ? COMMAND : CONFIGURATION;
  }

  private static EntryKind kind(byte code) {
    if (code == NO_OP) {
      return EntryKind.NO_OP;
    }
    if (code == COMMAND) {
      return EntryKind.COMMAND;
    }
    if (code == CONFIGURATION) {
      return EntryKind.CONFIGURATION;
    }
    throw new IllegalArgumentException("an entry has the unknown kind " + code);
  }
}

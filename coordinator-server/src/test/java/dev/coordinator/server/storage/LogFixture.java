// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.WriteBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What the tests of the log share: an identity, small segments, and entries that are easy to tell.
 */
public final class LogFixture {

  public static final LogIdentity IDENTITY =
      new LogIdentity("test-cluster", new NodeId(1), 0x5EED_0F_5A17L);

  /** So small that a few frames fill one. */
  public static final SegmentedLogConfig SMALL = new SegmentedLogConfig(2048, 1024);

  private LogFixture() {}

  public static SegmentedLog open(Disk disk) throws IOException {
    return SegmentedLog.open(disk, IDENTITY, SMALL, Runnable::run);
  }

  public static RecoveredLog recover(Disk disk) throws IOException {
    try (SegmentedLog log = open(disk)) {
      return log.takeRecovered();
    }
  }

  public static void append(SegmentedLog log, WriteBatch... batches) throws IOException {
    log.write(List.of(batches));
    log.sync();
  }

  public static Entry entry(long index, long term, int payloadBytes) {
    byte[] payload = new byte[payloadBytes];
    Arrays.fill(payload, (byte) (index * 31 + term));
    return Entry.command(index, term, 1000 + index, payload);
  }

  /** A batch of consecutive entries of one term, from an index on. */
  public static WriteBatch entries(
      long number, long term, long firstIndex, int count, int payloadBytes) {
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      entries.add(entry(firstIndex + i, term, payloadBytes));
    }
    return new WriteBatch(number, null, entries);
  }

  public static WriteBatch vote(long number, long term, long votedFor) {
    return new WriteBatch(number, new HardState(term, new NodeId(votedFor)), List.of());
  }

  public static WriteBatch base(long number, long index, long term) {
    return new WriteBatch(number, null, new LogPosition(index, term), List.of());
  }

  static List<String> segmentNames(Disk disk) throws IOException {
    return disk.list().stream().filter(SegmentHeader::isSegment).sorted().toList();
  }
}

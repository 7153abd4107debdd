// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import static dev.coordinator.server.storage.LogFixture.IDENTITY;
import static dev.coordinator.server.storage.LogFixture.SMALL;
import static dev.coordinator.server.storage.LogFixture.append;
import static dev.coordinator.server.storage.LogFixture.entries;
import static dev.coordinator.server.storage.LogFixture.entry;
import static dev.coordinator.server.storage.LogFixture.open;
import static dev.coordinator.server.storage.LogFixture.recover;
import static dev.coordinator.server.storage.LogFixture.segmentNames;
import static dev.coordinator.server.storage.LogFixture.vote;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.WriteBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** A torn tail is cut; anything else that is wrong keeps the member from starting. */
final class LogDamageTest {

  private static final String FIRST = "0000000001.wal";
  private static final String SECOND = "0000000002.wal";

  private final SimulatedDisk disk = new SimulatedDisk();

  /** Where the frames of the first segment begin, and where the last one ends. */
  private final List<Integer> offsets = new ArrayList<>();

  /** Frame 1 opens the segment; frames 2 to 5 hold entries 1 to 4, one each. */
  private void writeFourEntries() throws IOException {
    try (SegmentedLog log = open(disk)) {
      offsets.add(SegmentHeader.BYTES);
      offsets.add(offsets.get(0) + log.frameBytes() - SegmentHeader.BYTES);
      for (int i = 1; i <= 4; i++) {
        append(log, entries(i, 1, i, 1, 50));
        offsets.add(offsets.get(i) + log.frameBytes());
      }
      assertEquals(1, log.segments());
    }
  }

  private int lastFrame() {
    return offsets.get(offsets.size() - 2);
  }

  private int framesEnd() {
    return offsets.get(offsets.size() - 1);
  }

  private static SimulatedDisk changed(SimulatedDisk disk, String file, Consumer<byte[]> change) {
    SimulatedDisk copy = disk.copy();
    byte[] content = copy.content(file);
    change.accept(content);
    copy.replace(file, content);
    return copy;
  }

  /** One bit of the byte at the offset is wrong, a different one from byte to byte. */
  private static SimulatedDisk flipped(SimulatedDisk disk, String file, int offset) {
    return changed(disk, file, content -> content[offset] ^= (byte) (1 << offset % 8));
  }

  private static String refusal(SimulatedDisk disk) {
    return assertThrows(StorageException.class, () -> open(disk)).getMessage();
  }

  private static void assertDamaged(SimulatedDisk disk, String file, int offset, String what) {
    String message = refusal(disk);
    assertTrue(
        message.startsWith("simulated/" + file + " is damaged at offset " + offset + ": "),
        message);
    assertTrue(message.contains(what), message);
    assertTrue(message.contains("add it again with a new member id"), message);
  }

  @Test
  void aFrameTornAtAnyByteIsCutAndTheLogGoesOn() throws IOException {
    writeFourEntries();
    int whole = framesEnd();
    while (disk.content(FIRST)[whole - 1] == 0) {
      whole--; // Without its padding the frame is whole: the segment has zeros there anyway.
    }
    for (int torn = lastFrame(); torn < whole; torn++) {
      int end = torn;
      SimulatedDisk zeroed =
          changed(disk, FIRST, content -> Arrays.fill(content, end, content.length, (byte) 0));
      assertCutAndUsable(zeroed);
      SimulatedDisk truncated = disk.copy();
      truncated.replace(FIRST, Arrays.copyOf(disk.content(FIRST), end));
      assertCutAndUsable(truncated);
      SimulatedDisk headless =
          changed(disk, FIRST, content -> Arrays.fill(content, lastFrame(), end + 1, (byte) 0));
      assertCutAndUsable(headless);
    }
  }

  private void assertCutAndUsable(SimulatedDisk torn) throws IOException {
    try (SegmentedLog log = open(torn)) {
      assertEquals(entries(0, 1, 1, 3, 50).entries(), log.takeRecovered().entries());
      append(log, entries(9, 2, 4, 1, 3));
    }
    List<Entry> expected = new ArrayList<>(entries(0, 1, 1, 3, 50).entries());
    expected.add(entry(4, 2, 3));
    try (SegmentedLog log = open(torn)) {
      assertEquals(expected, log.takeRecovered().entries());
      assertEquals(0, log.tornBytes());
    }
  }

  @Test
  void aFlippedBitBeforeTheLastFrameIsRefused() throws IOException {
    writeFourEntries();
    for (int frame = 0; offsets.get(frame) < lastFrame(); frame++) {
      for (int offset = offsets.get(frame); offset < offsets.get(frame + 1); offset++) {
        SimulatedDisk flipped = flipped(disk, FIRST, offset);
        assertDamaged(flipped, FIRST, offsets.get(frame), "is bad");
      }
    }
  }

  @Test
  void aFlippedBitInTheHeaderOfASegmentIsRefused() throws IOException {
    writeFourEntries();
    for (int offset = 0; offset < SegmentHeader.BYTES; offset++) {
      SimulatedDisk flipped = flipped(disk, FIRST, offset);
      assertDamaged(flipped, FIRST, 0, "");
    }
  }

  /** Nothing tells it from a torn frame: that is the one kind of damage that goes unnoticed. */
  @Test
  void aFlippedBitInTheLastFrameLooksTornAndIsCut() throws IOException {
    writeFourEntries();
    for (int offset = lastFrame(); offset < framesEnd(); offset++) {
      assertCutAndUsable(flipped(disk, FIRST, offset));
    }
  }

  @Test
  void aSegmentsFirstFrameIsNeverTornSoDamageThereIsNoticed() throws IOException {
    try (SegmentedLog log = open(disk)) {
      append(log, entries(1, 1, 1, 1, 1500));
      assertEquals(2, log.segments());
    }
    for (int offset = SegmentHeader.BYTES; offset < SegmentHeader.BYTES + 1500; offset++) {
      SimulatedDisk flipped = flipped(disk, SECOND, offset);
      assertDamaged(flipped, SECOND, SegmentHeader.BYTES, "its first frame");
    }
  }

  @Test
  void aBadLastFrameOfAnEarlierSegmentIsRefused() throws IOException {
    writeFourEntries();
    try (SegmentedLog log = open(disk)) {
      append(log, entries(5, 1, 5, 1, 1500));
      assertEquals(2, log.segments());
    }
    for (int offset = lastFrame(); offset < framesEnd(); offset++) {
      SimulatedDisk flipped = flipped(disk, FIRST, offset);
      assertDamaged(
          flipped, FIRST, lastFrame(), "frame 5 is bad or missing, but simulated/" + SECOND);
    }
  }

  @Test
  void aMissingSegmentBetweenOthersIsRefused() throws IOException {
    try (SegmentedLog log = open(disk)) {
      for (int i = 1; i <= 5; i++) {
        append(log, entries(i, 1, i, 1, 1500));
      }
    }
    List<String> names = segmentNames(disk);
    assertEquals(6, names.size());
    for (String name : names.subList(1, 5)) {
      SimulatedDisk lacking = disk.copy();
      lacking.replace(name, null);
      assertDamaged(lacking, name, 0, "the segment is missing");
    }
  }

  /** The first ones may have been dropped behind a snapshot, which the log does not know. */
  @Test
  void aLogWithoutItsFirstSegmentsTellsWhereItBegins() throws IOException {
    try (SegmentedLog log = open(disk)) {
      for (int i = 1; i <= 5; i++) {
        append(log, entries(i, 1, i, 1, 1500));
      }
    }
    List<String> names = segmentNames(disk);
    SimulatedDisk shortened = disk.copy();
    for (int i = 0; i < 4; i++) {
      shortened.replace(names.get(i), null);
      assertEquals(new LogPosition(i, i == 0 ? 0 : 1), recover(shortened).base());
    }
  }

  @Test
  void aFirstSegmentThatCannotBeTheFirstIsRefused() throws IOException {
    try (SegmentedLog log = open(disk)) {
      append(log, entries(1, 1, 1, 1, 1500));
    }
    byte[] second = disk.content(SECOND);
    ByteBuffer header = little(second).position(0);
    new SegmentHeader(IDENTITY, 1, 2, new LogPosition(1, 1)).encode(header);
    SimulatedDisk renumbered = new SimulatedDisk();
    renumbered.replace(FIRST, second);
    assertDamaged(renumbered, FIRST, 0, "it begins with frame 2 behind entry 1^1");
  }

  @Test
  void aSegmentThatDoesNotFitBehindTheOneBeforeIsRefused() throws IOException {
    try (SegmentedLog log = open(disk)) {
      append(log, entries(1, 1, 1, 1, 1500));
    }
    SimulatedDisk wrong =
        changed(
            disk,
            SECOND,
            content ->
                new SegmentHeader(IDENTITY, 2, 2, new LogPosition(7, 1)).encode(little(content)));
    assertDamaged(wrong, SECOND, 0, "it was begun behind entry 7^1, but entry 0^0 came last");
  }

  @Test
  void aSegmentUnderAnotherNameIsRefused() throws IOException {
    try (SegmentedLog log = open(disk)) {
      append(log, entries(1, 1, 1, 1, 1500));
      append(log, entries(2, 1, 2, 1, 1500));
    }
    SimulatedDisk swapped = disk.copy();
    swapped.replace(SECOND, disk.content("0000000003.wal"));
    assertDamaged(swapped, SECOND, 0, "it was segment 3 when it was written");
  }

  @Test
  void anEmptiedSegmentIsRefused() throws IOException {
    writeFourEntries();
    SimulatedDisk emptied = disk.copy();
    emptied.replace(FIRST, new byte[0]);
    assertDamaged(emptied, FIRST, 0, "its header is cut short");
    emptied.replace(FIRST, new byte[4096]);
    assertDamaged(emptied, FIRST, 0, "it does not begin as a segment of a log");
  }

  @Test
  void aSegmentOfSomeoneElseIsRefused() throws IOException {
    writeFourEntries();
    LogIdentity otherMember = new LogIdentity("test-cluster", new NodeId(2), IDENTITY.salt());
    LogIdentity otherCluster = new LogIdentity("prod", new NodeId(1), IDENTITY.salt());
    LogIdentity otherLife = new LogIdentity("test-cluster", new NodeId(1), 1);
    assertEquals(
        "simulated/0000000001.wal is of member 1 of cluster 'test-cluster', but this is member 2 of"
            + " cluster 'test-cluster'. Start the member with the data directory that it was"
            + " started with before.",
        refusal(otherMember));
    assertTrue(refusal(otherCluster).contains("but this is member 1 of cluster 'prod'"));
    assertTrue(refusal(otherLife).contains("Do not mix files of several data directories"));
  }

  private String refusal(LogIdentity identity) {
    return assertThrows(
            StorageException.class, () -> SegmentedLog.open(disk, identity, SMALL, Runnable::run))
        .getMessage();
  }

  @Test
  void aSegmentOfANewerFormatIsRefused() throws IOException {
    writeFourEntries();
    SimulatedDisk newer =
        changed(
            disk,
            FIRST,
            content -> {
              content[8] = 3;
              CRC32C crc = new CRC32C();
              crc.update(content, 0, SegmentHeader.BYTES - 4);
              little(content).putInt(SegmentHeader.BYTES - 4, (int) crc.getValue());
            });
    assertDamaged(newer, FIRST, 0, "it has format version 3, this program knows 2");
  }

  @Test
  void anOldFrameWhereTheNextOneBelongsIsRefused() throws IOException {
    writeFourEntries();
    int length = offsets.get(2) - offsets.get(1);
    SimulatedDisk misdirected =
        changed(
            disk,
            FIRST,
            content -> System.arraycopy(content, offsets.get(1), content, framesEnd(), length));
    assertDamaged(misdirected, FIRST, framesEnd(), "frame 2 stands where frame 6 belongs");
  }

  @Test
  void aFrameWithARightChecksumThatMakesNoSenseIsRefused() throws IOException {
    writeFourEntries();
    assertNonsense("record 0 has the unknown type 9", 1, frame -> frame.put((byte) 9));
    assertNonsense(
        "entry 7 does not fit behind entry 4",
        1,
        frame -> RecordCodec.encode(entry(7, 1, 1), frame));
    assertNonsense(
        "has a lower term than the one before it",
        1,
        frame -> RecordCodec.encode(entry(5, 0, 1), frame));
    assertNonsense(
        "the log cannot begin anew at 5^0",
        1,
        frame -> RecordCodec.encodeBase(new LogPosition(5, 0), frame));
    assertNonsense(
        "entry 3 is covered by a snapshot up to 3",
        2,
        frame -> {
          RecordCodec.encodeBase(new LogPosition(3, 1), frame);
          RecordCodec.encode(entry(3, 1, 1), frame);
        });
    assertNonsense(
        "membership is not a protobuf message",
        1,
        frame -> {
          RecordCodec.encode(entry(5, 1, 1), frame);
          frame.put(frame.position() - 30, (byte) 2);
        });
    assertNonsense(
        "31 bytes are left after the last record",
        1,
        frame -> {
          RecordCodec.encode(entry(5, 1, 1), frame);
          RecordCodec.encode(entry(6, 1, 1), frame);
        });
    assertNonsense(
        "a record is longer than its frame", 2, frame -> RecordCodec.encode(entry(5, 1, 1), frame));
    assertNonsense(
        "an entry has the unknown kind 5",
        1,
        frame -> {
          RecordCodec.encode(entry(5, 1, 1), frame);
          frame.put(frame.position() - 30, (byte) 5);
        });
    assertNonsense(
        "entry 5 has the length -1",
        1,
        frame -> {
          RecordCodec.encode(entry(5, 1, 1), frame);
          frame.putInt(frame.position() - 5, -1);
        });
  }

  private void assertNonsense(String what, int count, Consumer<ByteBuffer> records) {
    SimulatedDisk nonsense =
        changed(
            disk,
            FIRST,
            content -> {
              ByteBuffer segment = little(content).position(framesEnd() + FrameCodec.HEADER_BYTES);
              records.accept(segment);
              new FrameCodec(IDENTITY.salt()).seal(segment, framesEnd(), 6, count);
            });
    assertDamaged(
        nonsense, FIRST, framesEnd(), "frame 6 has a right checksum, but makes no sense: ");
    assertTrue(refusal(nonsense).contains(what), refusal(nonsense));
  }

  /**
   * Only the salt keeps a client from choosing a payload that, in a torn frame, looks like a
   * durable frame and so keeps the member from starting.
   */
  @Test
  void aPayloadThatLooksLikeALaterFrameDoesNotFoolRecovery() throws IOException {
    writeFourEntries();
    SimulatedDisk fooled = withTornFrameAroundFrame(IDENTITY.salt() + 1);
    assertEquals(entries(0, 1, 1, 4, 50).entries(), recover(fooled).entries());
    assertDamaged(
        withTornFrameAroundFrame(IDENTITY.salt()), FIRST, framesEnd(), "but frame 7 at offset");
  }

  private SimulatedDisk withTornFrameAroundFrame(long salt) throws IOException {
    byte[] frame = new byte[128];
    ByteBuffer inner = little(frame).position(FrameCodec.HEADER_BYTES);
    RecordCodec.encode(entry(6, 1, 8), inner);
    new FrameCodec(salt).seal(inner, 0, 7, 1);
    byte[] payload = new byte[256];
    // The payload begins 54 bytes into its frame: 2 more make the inner frame aligned.
    System.arraycopy(frame, 0, payload, 2, inner.position());
    SimulatedDisk torn = disk.copy();
    try (SegmentedLog log = open(torn)) {
      append(log, new WriteBatch(5, null, List.of(Entry.command(5, 1, 0, payload))));
    }
    return changed(torn, FIRST, content -> content[framesEnd()] ^= 1);
  }

  @Test
  void theRemainsOfATornFrameNeverStandBehindAShorterOne() throws IOException {
    writeFourEntries();
    try (SegmentedLog log = open(disk)) {
      append(log, entries(5, 1, 5, 1, 900));
    }
    SimulatedDisk torn = changed(disk, FIRST, content -> content[framesEnd() + 40] ^= 1);
    try (SegmentedLog log = open(torn)) {
      assertTrue(log.tornBytes() > 900, log.tornBytes() + " bytes");
      assertEquals(4, log.takeRecovered().entries().size());
      append(log, entries(5, 2, 5, 1, 1));
      byte[] content = torn.content(FIRST);
      int end = framesEnd() + log.frameBytes();
      assertEquals(
          -1,
          Arrays.mismatch(
              content,
              end,
              content.length,
              new byte[content.length - end],
              0,
              content.length - end));
    }
    assertEquals(entry(5, 2, 1), recover(torn).entries().get(4));
  }

  /** If a vote's sync fails and the member restarts, the page cache shows what is not on disk. */
  @Test
  void whatAFailedSyncLeftInThePageCacheIsMadeDurableBeforeItIsBelieved() throws IOException {
    SegmentedLog log = open(disk);
    log.write(List.of(vote(1, 5, 2)));
    disk.setFault(
        (operation, file) -> {
          if (operation == SimulatedDisk.Operation.FORCE) {
            throw new IOException("Input/output error");
          }
        });
    assertThrows(IOException.class, log::sync);
    disk.setFault(SimulatedDisk.Fault.NONE);
    disk.kill();
    assertEquals(5, recover(disk).hardState().term());
    disk.powerCut(new SplittableRandom(1));
    assertEquals(5, recover(disk).hardState().term());
  }

  private static ByteBuffer little(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}

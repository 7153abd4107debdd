// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.random.RandomGenerator;

/** Damage to a log on a simulated disk. */
public final class BitFlips {

  private BitFlips() {}

  public static boolean hasSegments(SimulatedDisk disk) {
    return disk.list().stream().anyMatch(SegmentHeader::isSegment);
  }

  /**
   * Flips one bit of one segment, mostly where something was written, but none of the last good
   * frame of the log: no log can tell that from a torn one.
   *
   * @param salt that of the log's checksums
   * @return where
   */
  public static String flip(SimulatedDisk disk, long salt, RandomGenerator random) {
    List<String> segments = disk.list().stream().filter(SegmentHeader::isSegment).sorted().toList();
    int chosen = random.nextInt(segments.size());
    String name = segments.get(chosen);
    byte[] content = disk.content(name);
    ByteBuffer segment = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    FrameCodec frames = new FrameCodec(salt);
    int last = SegmentHeader.BYTES;
    int end = SegmentHeader.BYTES;
    while (frames.isFrame(segment, end)) {
      last = end;
      end += (int) FrameCodec.frameBytes(FrameCodec.recordBytes(segment, end));
    }
    int offset = random.nextInt(random.nextInt(4) == 0 ? content.length : end);
    if (chosen == segments.size() - 1 && offset >= last && offset < end) {
      offset = random.nextInt(last);
    }
    content[offset] ^= (byte) (1 << random.nextInt(8));
    disk.replace(name, content);
    return name + " at offset " + offset;
  }

  /** Flips one bit of any file. */
  public static String flipAny(SimulatedDisk disk, RandomGenerator random) {
    List<String> files = disk.list();
    return flipIn(disk, files.get(random.nextInt(files.size())), random);
  }

  /** Flips one bit of this file. */
  public static String flipIn(SimulatedDisk disk, String name, RandomGenerator random) {
    byte[] content = disk.content(name);
    if (content.length == 0) {
      return name + ", which is empty";
    }
    int offset = random.nextInt(content.length);
    content[offset] ^= (byte) (1 << random.nextInt(8));
    disk.replace(name, content);
    return name + " at offset " + offset;
  }
}

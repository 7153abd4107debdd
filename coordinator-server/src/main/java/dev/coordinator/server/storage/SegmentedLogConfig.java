// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage;

/**
 * The sizes of the log.
 *
 * @param segmentBytes the size of a preallocated segment; a single frame that is larger gets a
 *     segment of its own size
 * @param maxFrameBytes how much one fsync may gather before the next frame begins; a single batch
 *     that is larger still goes into one frame
 */
public record SegmentedLogConfig(int segmentBytes, int maxFrameBytes) {

  public static final SegmentedLogConfig DEFAULT = new SegmentedLogConfig(16 << 20, 4 << 20);

  /** Segments are read whole at start, so they stay far from what a buffer can hold. */
  static final int MAX_SEGMENT_BYTES = 1 << 30;

  private static final int MIN_SEGMENT_BYTES = 1 << 10;

  public SegmentedLogConfig {
    if (segmentBytes < MIN_SEGMENT_BYTES || segmentBytes > MAX_SEGMENT_BYTES) {
      throw new IllegalArgumentException(
          "segmentBytes must be "
              + MIN_SEGMENT_BYTES
              + " to "
              + MAX_SEGMENT_BYTES
              + ", not "
              + segmentBytes);
    }
    if (maxFrameBytes < 1 || maxFrameBytes > MAX_SEGMENT_BYTES) {
      throw new IllegalArgumentException(
          "maxFrameBytes must be 1 to " + MAX_SEGMENT_BYTES + ", not " + maxFrameBytes);
    }
  }
}

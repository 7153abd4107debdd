// SPDX-License-Identifier: Apache-2.0
/**
 * The write-ahead log on disk, and the directory that holds it.
 *
 * <p>A log is a row of <b>segments</b>, files {@code 0000000001.wal}, {@code 0000000002.wal}, …,
 * each a header of 512 bytes, frames, and zeros up to its preallocated size. A <b>frame</b> is what
 * one fsync makes durable: a header with checksum, length and a sequence number that rises by one
 * from frame to frame over all segments, then <b>records</b>: a hard state, an entry that replaces
 * everything at its index and after it, or a base, behind which the log begins anew.
 *
 * <p><b>Why a torn tail can be told from damage.</b> A frame is written only after the frame before
 * it was forced to disk. So a power cut can tear the last frame and no other one, and nobody was
 * told that this one is durable: it is cut off. A bad frame that is followed by a good one with a
 * later number, in its own segment or through a later segment, was durable once: something damaged
 * it, and the log refuses to open rather than forget what the member promised. A segment gets its
 * name only after its header and first frame are forced, so these two are never torn either. What
 * no log can tell from a torn frame is damage to its very last frame; it is cut as well.
 *
 * <p><b>After a cut</b> the bytes behind the last good frame are overwritten with zeros and forced
 * before anything is appended, so the remains of a torn frame never stand behind a later, shorter
 * one. Checksums include a secret of this log, so bytes from another log or from a client's payload
 * never pass for a frame.
 *
 * <p><b>Dropping a prefix.</b> The first frame of each segment begins with the hard state at that
 * moment, and the header has the position of the last entry then; so a segment whose entries are
 * all covered by a snapshot can be deleted, oldest first, without reading the others. Each deletion
 * is durable before the next, so a segment that is missing between others was lost. That too much
 * is missing at the beginning shows beside the snapshot: {@link
 * dev.coordinator.server.storage.snapshot.RecoveredState} refuses a log that begins behind it.
 *
 * <p><b>Beginning anew.</b> A snapshot of the leader that this log does not lead to replaces all of
 * it: a record says behind which place the log goes on. That snapshot is durable before.
 *
 * <p>The logic (codec, recovery, segments) is single-threaded and reaches the disk through {@link
 * dev.coordinator.server.storage.Disk} alone, so that a simulated disk can run it; {@link
 * dev.coordinator.server.storage.SegmentedLogStore} adds the threads.
 */
package dev.coordinator.server.storage;

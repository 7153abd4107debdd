// SPDX-License-Identifier: Apache-2.0
/**
 * Snapshots on disk: files that are written once and show by themselves whether they are whole.
 *
 * <p>A snapshot is a file {@code <last index>-<last term>.snapshot}: the tables of {@link
 * dev.coordinator.server.wire.SnapshotTables} in one MapDB file, and behind it a checksum of the
 * whole. The file that a member keeps, the parts that it sends, and a backup are the same bytes.
 *
 * <p><b>What can be trusted.</b> A file gets its name only after it was read back, ended with its
 * checksum and forced; then the directory is forced. So whatever a power cut leaves under a
 * temporary name goes at the next start, and a named file that is not whole was damaged later: it
 * is never read, sent or counted. The newest two are kept.
 *
 * <p><b>Snapshot and log.</b> Segments of the log go only behind the older of two durable
 * snapshots, and the log begins anew only at a durable one. {@link
 * dev.coordinator.server.storage.snapshot.RecoveredState} puts the two together at start. If the
 * newest snapshot is damaged, the older one and the log serve; if the log does not reach back to
 * that, as it began anew with the newest, the member refuses to start rather than forget what it
 * promised.
 *
 * <p>The logic is single-threaded and reaches the disk through {@link
 * dev.coordinator.server.storage.Disk} and {@link
 * dev.coordinator.server.storage.snapshot.SnapshotFormat} alone, so that a simulated disk can run
 * it; {@link dev.coordinator.server.storage.snapshot.FileSnapshotStore} adds the thread.
 */
package dev.coordinator.server.storage.snapshot;

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static dev.coordinator.server.raft.RaftInvariantViolation.invariant;

import java.util.ArrayList;
import java.util.List;

/**
 * What the core wants done, until the caller fetches it, and the numbers of the batches that are on
 * their way to the disk.
 */
final class Effects {

  private final List<RaftMessage> messages = new ArrayList<>();
  private final List<RaftMessage> messagesAfterPersist = new ArrayList<>();
  private final List<Outbox.SafeRead> safeReads = new ArrayList<>();
  private final List<Long> failedReads = new ArrayList<>();
  private final List<Outbox.ChunkRequest> chunkRequests = new ArrayList<>();
  private final List<RaftMessage.InstallSnapshot> receivedChunks = new ArrayList<>();
  private SnapshotMeta installed;
  private long compactedTo;

  private HardState hardState;
  private boolean hardStateChanged;

  /** The batch that carries the present hard state. */
  private long hardStateBatch;

  private long lastBatch;
  private long persistedBatch;

  Effects(HardState restored) {
    hardState = restored;
  }

  HardState hardState() {
    return hardState;
  }

  void change(HardState newHardState) {
    hardState = newHardState;
    hardStateChanged = true;
    hardStateBatch = lastBatch + 1;
  }

  /** Whether the present term and vote would survive a crash. */
  boolean isHardStateDurable() {
    return hardStateBatch <= persistedBatch;
  }

  /** Sends what promises nothing. */
  void send(RaftMessage message) {
    messages.add(message);
  }

  /** Sends what promises everything that has changed so far: it waits for the disk. */
  void sendAfterPersist(RaftMessage message) {
    messagesAfterPersist.add(message);
  }

  /** Sends what promises no more than the term and vote that it was sent in. */
  void sendOnceHardStateIsDurable(RaftMessage message) {
    (isHardStateDurable() ? messages : messagesAfterPersist).add(message);
  }

  /**
   * Takes back the append replies that the caller has not fetched: they confirm entries that are
   * about to be replaced before any batch has carried them.
   */
  void withdrawAppendReplies() {
    messagesAfterPersist.removeIf(message -> message instanceof RaftMessage.AppendEntriesReply);
  }

  List<Outbox.SafeRead> safeReads() {
    return safeReads;
  }

  List<Long> failedReads() {
    return failedReads;
  }

  /** Asks for a part of a snapshot to be read and sent. */
  void readChunk(Outbox.ChunkRequest request) {
    chunkRequests.add(request);
  }

  /** Asks for a part of a snapshot to be stored. */
  void storeChunk(RaftMessage.InstallSnapshot chunk) {
    receivedChunks.add(chunk);
  }

  /** The machine takes over the state of this snapshot before it applies anything. */
  void install(SnapshotMeta snapshot) {
    installed = snapshot;
  }

  /** Entries up to here are needed no longer. */
  void compactTo(long index) {
    compactedTo = index;
  }

  void persisted(long batch) {
    invariant(batch > persistedBatch, "batch %d persisted after %d", batch, persistedBatch);
    invariant(batch <= lastBatch, "batch %d persisted, the last was %d", batch, lastBatch);
    persistedBatch = batch;
  }

  void drainTo(Outbox outbox, RaftLog log) {
    if (hardStateChanged || log.hasUnwritten()) {
      lastBatch++;
      HardState changed = hardStateChanged ? hardState : null;
      outbox.batch = new WriteBatch(lastBatch, changed, log.writeBase(), log.write(lastBatch));
      hardStateChanged = false;
    }
    move(messages, outbox.messages);
    boolean allDurable = persistedBatch == lastBatch;
    move(messagesAfterPersist, allDurable ? outbox.messages : outbox.messagesAfterPersist);
    move(safeReads, outbox.safeReads);
    move(failedReads, outbox.failedReads);
    move(chunkRequests, outbox.chunkRequests);
    move(receivedChunks, outbox.receivedChunks);
    outbox.installed = installed;
    outbox.compactedTo = compactedTo;
    log.handOutCommitted(outbox.committedEntries);
    installed = null;
    compactedTo = 0;
  }

  /** Most rounds have little to move, and {@code addAll} copies even nothing. */
  private static <T> void move(List<T> from, List<T> to) {
    if (!from.isEmpty()) {
      to.addAll(from);
      from.clear();
    }
  }
}

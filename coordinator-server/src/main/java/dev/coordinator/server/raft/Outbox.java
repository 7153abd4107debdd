// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.ArrayList;
import java.util.List;

/**
 * The effects that {@link RaftCore} asks for, gathered since they were last drained. Owned and
 * reused by the caller, who carries them out in this order:
 *
 * <ol>
 *   <li>sends {@link #messages} and hands {@link #batch} to the log, at the same time (§10.2.1);
 *   <li>keeps {@link #messagesAfterPersist} until that batch, or if there is none the newest one
 *       handed over before, is durable;
 *   <li>applies {@link #committedEntries} and reports {@link RaftCore#applied};
 *   <li>answers {@link #safeReads} once everything up to their index is applied, and fails {@link
 *       #failedReads}.
 * </ol>
 */
public final class Outbox {

  /**
   * A read that became safe: the state machine may answer it once {@code index} is applied (§6.4).
   */
  public record SafeRead(long id, long index) {}

  /** A part of a snapshot that a follower needs next; the caller reads it and sends it. */
  public record ChunkRequest(
      NodeId to, long term, SnapshotMeta snapshot, long offset, long round, long clusterTimeMs) {}

  /** What must become durable, or null. */
  public WriteBatch batch;

  /** Messages that promise nothing that is not yet durable. */
  public final List<RaftMessage> messages = new ArrayList<>();

  /** Messages that promise what {@link #batch} makes durable: votes and append replies. */
  public final List<RaftMessage> messagesAfterPersist = new ArrayList<>();

  /** Newly committed entries in order; each is handed out once. */
  public final List<Entry> committedEntries = new ArrayList<>();

  public final List<SafeRead> safeReads = new ArrayList<>();

  /** Ids of reads that were pending when leadership was lost. */
  public final List<Long> failedReads = new ArrayList<>();

  /** Parts of a snapshot to read and send. */
  public final List<ChunkRequest> chunkRequests = new ArrayList<>();

  /** Parts of a snapshot that came from the leader; the caller stores them and reports that. */
  public final List<RaftMessage.InstallSnapshot> receivedChunks = new ArrayList<>();

  /**
   * The snapshot that replaces the state of the machine, before any committed entries are applied;
   * null if none does.
   */
  public SnapshotMeta installed;

  /** Entries up to here are gone, for a durable snapshot holds them; 0 if that did not change. */
  public long compactedTo;

  /** When to call {@link RaftCore#tick} at the latest, on the clock of the inputs. */
  public long nextWakeupMs;

  /** Empties this outbox for the next round. */
  public void clear() {
    batch = null;
    messages.clear();
    messagesAfterPersist.clear();
    committedEntries.clear();
    safeReads.clear();
    failedReads.clear();
    chunkRequests.clear();
    receivedChunks.clear();
    installed = null;
    compactedTo = 0;
    nextWakeupMs = Long.MAX_VALUE;
  }
}

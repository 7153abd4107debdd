// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.machine.MachineState;
import dev.coordinator.server.ports.SnapshotInbox;
import dev.coordinator.server.ports.SnapshotStore;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.Outbox;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.SnapshotMeta;
import dev.coordinator.server.storage.StorageException;
import dev.coordinator.server.storage.snapshot.SnapshotFiles;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.function.LongSupplier;

/**
 * The real snapshot files of one life of a member. What the snapshot thread does in production, the
 * schedule does here: one piece of work after the other, each of them late.
 */
final class SimulatedSnapshots implements SnapshotStore {

  private static final int MAX_WAITING = 8;

  private interface Task {
    void run() throws IOException;
  }

  private final Schedule schedule;
  private final Oracle oracle;
  private final Promises promises;
  private final NodeId self;
  private final SnapshotFiles files;
  private final LongSupplier workNanos;
  private final Queue<Task> waiting = new ArrayDeque<>();
  private SnapshotInbox inbox;
  private boolean working;
  private boolean dead;
  private boolean failed;

  /**
   * @param workNanos how long the next piece of work takes
   */
  SimulatedSnapshots(
      Schedule schedule,
      Oracle oracle,
      Promises promises,
      NodeId self,
      SnapshotFiles files,
      LongSupplier workNanos) {
    this.schedule = schedule;
    this.oracle = oracle;
    this.promises = promises;
    this.self = self;
    this.files = files;
    this.workNanos = workNanos;
  }

  void reportTo(SnapshotInbox reports) {
    inbox = reports;
  }

  /** Whether a piece of work failed: the member has been told and must not go on. */
  boolean hasFailed() {
    return failed;
  }

  /** Nothing more is done or reported. */
  void die() {
    dead = true;
  }

  @Override
  public void save(SnapshotMeta meta, MachineState state) {
    submit(
        () -> {
          oracle.takes(self, meta);
          files.save(meta, state);
          inbox.snapshotSaved(meta);
        });
  }

  @Override
  public void read(Outbox.ChunkRequest request) {
    if (waiting.size() < MAX_WAITING) {
      submit(() -> readPart(request));
    }
  }

  private void readPart(Outbox.ChunkRequest request) throws IOException {
    Optional<RaftMessage.InstallSnapshot> chunk;
    try {
      chunk = files.read(self, request);
    } catch (StorageException damage) {
      chunk = Optional.empty();
    }
    chunk.ifPresentOrElse(inbox::chunkRead, () -> inbox.snapshotGone(request));
  }

  @Override
  public void receive(RaftMessage.InstallSnapshot chunk) {
    if (waiting.size() < MAX_WAITING) {
      submit(() -> receivePart(chunk));
    }
  }

  private void receivePart(RaftMessage.InstallSnapshot chunk) throws IOException {
    promises.receives(chunk.snapshot());
    SnapshotFiles.Reception reception = files.receive(chunk);
    if (reception instanceof SnapshotFiles.Stored stored) {
      inbox.chunkStored(chunk, stored.nextOffset());
    } else if (reception instanceof SnapshotFiles.Completed completed) {
      inbox.snapshotReceived(chunk, completed.machine());
    }
  }

  private void submit(Task task) {
    waiting.add(task);
    workNext();
  }

  private void workNext() {
    if (working || waiting.isEmpty() || dead || failed) {
      return;
    }
    working = true;
    schedule.after(
        workNanos.getAsLong(),
        () -> {
          if (!dead && !failed) {
            working = false;
            run(waiting.remove());
            workNext();
          }
        });
  }

  private void run(Task task) {
    try {
      task.run();
    } catch (IOException e) {
      failed = true;
      inbox.failed(e);
    } catch (DiskFaults.Killed e) {
      die();
    }
  }
}

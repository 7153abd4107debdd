// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.storage.snapshot;

import dev.coordinator.server.machine.MachineState;
import dev.coordinator.server.metrics.SnapshotMetrics;
import dev.coordinator.server.ports.SnapshotInbox;
import dev.coordinator.server.ports.SnapshotStore;
import dev.coordinator.server.ports.TimeSource;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.Outbox;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.SnapshotMeta;
import dev.coordinator.server.storage.DataDirectory;
import dev.coordinator.server.storage.LogIdentity;
import dev.coordinator.server.storage.RecoverableLog;
import dev.coordinator.server.storage.StorageException;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The snapshots of a running member: {@link SnapshotFiles} with one thread that works on them.
 *
 * <p>Its life is open, {@link #recover}, {@link #start}, any number of requests, {@link #close}.
 * The first failure is reported once, and nothing is done after it.
 */
public final class FileSnapshotStore implements SnapshotStore, AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(FileSnapshotStore.class);

  private interface Task {
    void run() throws IOException;
  }

  private final SnapshotFiles files;
  private final LogIdentity identity;
  private final SnapshotConfig config;
  private final SnapshotMetrics metrics;
  private final TimeSource time;
  private final ExecutorService worker;
  private final AtomicInteger waitingParts = new AtomicInteger();
  private volatile Thread thread;
  private volatile SnapshotInbox inbox;
  private volatile boolean ended;

  private FileSnapshotStore(
      SnapshotFiles files,
      LogIdentity identity,
      SnapshotConfig config,
      SnapshotMetrics metrics,
      TimeSource time) {
    this.files = files;
    this.identity = identity;
    this.config = config;
    this.metrics = metrics;
    this.time = time;
    this.worker =
        Executors.newSingleThreadExecutor(
            task -> {
              thread = new Thread(task, "snapshots-" + identity.memberId());
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Finds the snapshots of a data directory, which must stay open for as long as the store is. */
  public static FileSnapshotStore open(
      DataDirectory directory, SnapshotConfig config, SnapshotMetrics metrics, TimeSource time)
      throws IOException {
    return new FileSnapshotStore(
        SnapshotFiles.open(
            directory.snapshotDisk(), new MapDbSnapshotFormat(directory.snapshotPath()), config),
        directory.identity(),
        config,
        metrics,
        time);
  }

  static FileSnapshotStore open(
      SnapshotFiles files,
      LogIdentity identity,
      SnapshotConfig config,
      SnapshotMetrics metrics,
      TimeSource time) {
    return new FileSnapshotStore(files, identity, config, metrics, time);
  }

  /**
   * What the member starts with. Asked once, before {@link #start}.
   *
   * @param bootstrap the configuration of a cluster that begins
   * @param recoverable the log of the same member
   * @throws StorageException if the two do not fit together
   */
  public RecoveredState recover(Membership bootstrap, RecoverableLog recoverable)
      throws IOException {
    RecoveredState state =
        RecoveredState.recover(bootstrap, identity.incarnation(), recoverable, files);
    for (StorageException damage : state.damaged()) {
      metrics.damaged();
      log.error(
          "{}. The log reaches back to an older snapshot, nothing is lost", damage.getMessage());
    }
    if (state.restored().snapshot() == null) {
      log.info("there is no snapshot yet");
    } else {
      tellNewest();
      log.info("snapshot up to entry {} read", state.restored().snapshot().last());
    }
    return state;
  }

  /** Begins to work; what happens is reported to the inbox. */
  public void start(SnapshotInbox reports) {
    inbox = reports;
  }

  @Override
  public void save(SnapshotMeta meta, MachineState state) {
    submit(
        () -> {
          long startNanos = time.nanoTime();
          files.save(meta, state);
          metrics.saved(time.nanoTime() - startNanos);
          tellNewest();
          inbox.snapshotSaved(meta);
        });
  }

  @Override
  public void read(Outbox.ChunkRequest request) {
    submitPart(() -> readPart(request));
  }

  private void readPart(Outbox.ChunkRequest request) throws IOException {
    Optional<RaftMessage.InstallSnapshot> chunk;
    try {
      chunk = files.read(identity.memberId(), request);
    } catch (StorageException damage) {
      tellDamaged(damage);
      chunk = Optional.empty();
    }
    if (chunk.isPresent()) {
      metrics.sent(chunk.get().data().length);
      inbox.chunkRead(chunk.get());
    } else {
      inbox.snapshotGone(request);
    }
  }

  @Override
  public void receive(RaftMessage.InstallSnapshot chunk) {
    submitPart(() -> receivePart(chunk));
  }

  private void receivePart(RaftMessage.InstallSnapshot chunk) throws IOException {
    SnapshotFiles.Reception reception = files.receive(chunk);
    if (reception instanceof SnapshotFiles.Stored stored) {
      inbox.chunkStored(chunk, stored.nextOffset());
    } else if (reception instanceof SnapshotFiles.Completed completed) {
      metrics.received();
      tellNewest();
      log.info(
          "received the snapshot up to entry {} of member {}, {} bytes",
          chunk.snapshot().last(),
          chunk.from(),
          chunk.totalBytes());
      inbox.snapshotReceived(chunk, completed.machine());
    } else if (reception instanceof SnapshotFiles.Refused refused) {
      metrics.refusedPart();
      log.warn(
          "refused a part of the snapshot up to entry {} of member {}: {}",
          chunk.snapshot().last(),
          chunk.from(),
          refused.why());
    }
  }

  private void tellNewest() throws IOException {
    metrics.newest(files.newest().map(LogPosition::index).orElse(0L), files.newestBytes());
  }

  private void tellDamaged(StorageException damage) {
    metrics.damaged();
    log.error("{}. It is given to nobody; another one replaces it", damage.getMessage());
  }

  /**
   * Checks the newest snapshot and opens it to copy it elsewhere; whoever gets it closes it. If it
   * is damaged, the member is told, which takes another one. Thread-safe.
   *
   * @param index what it must have in it at least
   * @return empty if there is none such that is whole; no answer comes from a store that was closed
   *     or has failed
   */
  public CompletableFuture<Optional<SnapshotExport>> export(long index) {
    CompletableFuture<Optional<SnapshotExport>> export = new CompletableFuture<>();
    submit(() -> export.complete(openNewest(index)));
    return export;
  }

  private Optional<SnapshotExport> openNewest(long index) throws IOException {
    Optional<LogPosition> newest = files.newest().filter(last -> last.index() >= index);
    if (newest.isEmpty()) {
      return Optional.empty();
    }
    try {
      return files.export();
    } catch (StorageException damage) {
      tellDamaged(damage);
      inbox.snapshotDamaged(newest.get());
      return Optional.empty();
    }
  }

  /** What is too much is dropped: whoever sent it tries again after a while. */
  private void submitPart(Task task) {
    if (waitingParts.incrementAndGet() > config.maxWaitingParts()) {
      waitingParts.decrementAndGet();
      metrics.refusedPart();
      return;
    }
    submit(
        () -> {
          waitingParts.decrementAndGet();
          task.run();
        });
  }

  private void submit(Task task) {
    if (inbox == null) {
      throw new IllegalStateException("the snapshot store was not started");
    }
    try {
      worker.execute(() -> run(task));
    } catch (RejectedExecutionException e) {
      log.debug("closed, nothing more is done with snapshots");
    }
  }

  private void run(Task task) {
    if (ended) {
      return;
    }
    try {
      task.run();
    } catch (Throwable cause) {
      // An Error as well: what is on disk is not known any more.
      ended = true;
      log.error("snapshots cannot be stored any more, the member has to stop", cause);
      inbox.failed(cause);
    }
  }

  /** Ends after the piece of work that is under way; what waits is dropped. */
  @Override
  public void close() throws IOException {
    ended = true;
    worker.shutdown();
    awaitWorker();
    files.close();
  }

  /** A member that closes everything from within {@link SnapshotInbox#failed} is on the worker. */
  private void awaitWorker() {
    boolean interrupted = false;
    boolean over = thread == Thread.currentThread();
    while (!over) {
      try {
        over = worker.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        // The files must not be closed under the worker.
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}

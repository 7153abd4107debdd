// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import dev.coordinator.client.CoordinatorClient;
import dev.coordinator.client.DistributedLock;
import dev.coordinator.client.HeldLock;
import dev.coordinator.client.LockInfo;
import dev.coordinator.client.LockLostException;
import dev.coordinator.client.Session;
import dev.coordinator.client.SessionOptions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code coordinator lock}: a command that runs while it holds a lock. */
@Command(
    name = "lock",
    customSynopsis = "coordinator lock [OPTIONS] NAME -- COMMAND [ARGUMENT...]",
    description = {
      "Takes a lock, runs a command, gives the lock back when the command ends.",
      "",
      "The command finds COORDINATOR_LOCK_NAME, COORDINATOR_TOKEN and COORDINATOR_LEASE_ID in its"
          + " environment. The token is larger than that of every earlier holder: hand it to what"
          + " the command writes to, and let that refuse smaller ones.",
      "",
      "If the lock is lost, because the cluster could not be reached for the TTL or an operator"
          + " revoked the lease, the command and its descendants get SIGTERM, and SIGKILL after the"
          + " grace."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "n:That of the command; 128 and the signal's number if a signal ended it.",
      "2:The command line is wrong.",
      "3:The lock was not acquired in time. The command did not run.",
      "4:The lock was lost; the command was stopped.",
      "5:No member answered in time. The command did not run.",
      "127:The command cannot be run."
    },
    footerHeading = "%nExample:%n",
    footer = {
      "  coordinator lock backups/db -- ./backup.sh --full        wait as long as it takes",
      "  coordinator lock --wait 30s backups/db -- ./backup.sh    at most half a minute",
      "  coordinator lock --try cron/nightly -- ./nightly.sh      only if nobody else does",
      ""
    })
final class LockCommand implements Callable<Integer> {

  /** Longer than releasing takes when the cluster answers at all. */
  private static final Duration RELEASE_LIMIT = Duration.ofSeconds(5);

  @Parameters(index = "0", paramLabel = "NAME", description = "The name of the lock.")
  private String name;

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "COMMAND",
      description = "What to run, after '--'.")
  private List<String> command;

  /** At most one of the two. */
  static final class Waiting {
    @Option(
        names = "--wait",
        paramLabel = "DURATION",
        converter = TimeSpan.class,
        description = "How long to wait for the lock. Default: as long as it takes.")
    private Duration wait;

    @Option(names = "--try", description = "Do not wait at all.")
    private boolean once;
  }

  @ArgGroup private Waiting waiting;

  @Option(
      names = "--ttl",
      paramLabel = "DURATION",
      defaultValue = "10s",
      converter = TimeSpan.class,
      description =
          "How long the cluster keeps the lock when it does not hear of this process. Default:"
              + " ${DEFAULT-VALUE}.")
  private Duration ttl;

  @Option(
      names = "--grace",
      paramLabel = "DURATION",
      defaultValue = "5s",
      converter = TimeSpan.class,
      description = "Between SIGTERM and SIGKILL. Default: ${DEFAULT-VALUE}.")
  private Duration grace;

  @Option(
      names = "--metadata",
      paramLabel = "TEXT",
      description = "Shown to others with the lock. Default: the command without its arguments.")
  private String metadata;

  @Mixin private ConnectionOptions connections;
  @Spec private CommandSpec spec;

  private final CountDownLatch done = new CountDownLatch(1);

  /** Guards the field below: nobody may interrupt the thread while it gives the lock back. */
  private final Object interruption = new Object();

  private boolean interruptible = true;

  @Override
  public Integer call() throws InterruptedException {
    Thread main = Thread.currentThread();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> endOnSignal(main), "lock-end"));
    try (CoordinatorClient client =
            CoordinatorClient.builder()
                .endpoints(connections.endpoints())
                .callTimeout(connections.timeout())
                .build();
        Session session = client.newSession(SessionOptions.ofTtl(ttl))) {
      DistributedLock lock = session.lock(name).withMetadata(shownToOthers());
      try (HeldLock held = acquire(client, lock)) {
        return runHolding(held, session);
      }
    } finally {
      done.countDown();
    }
  }

  private HeldLock acquire(CoordinatorClient client, DistributedLock lock)
      throws InterruptedException {
    Optional<HeldLock> held = lock.tryAcquire();
    boolean once = waiting != null && waiting.once;
    if (held.isEmpty() && !once) {
      say("waiting for " + name + holder(client));
      held =
          waiting == null || waiting.wait == null
              ? Optional.of(lock.acquire())
              : lock.acquire(waiting.wait);
    }
    return held.orElseThrow(
        () -> new CliException(ExitCode.NOT_ACQUIRED, name + " was not acquired" + holder(client)));
  }

  /** Who holds the lock, for people. */
  private String holder(CoordinatorClient client) {
    return client
        .locks()
        .get(name)
        .flatMap(LockInfo::holder)
        .map(
            holder ->
                ": held for "
                    + TimeSpan.text(holder.age().toMillis())
                    + " by lease "
                    + Long.toUnsignedString(holder.leaseId())
                    + (holder.metadata().isEmpty() ? "" : " (" + holder.metadata() + ")"))
        .orElse("");
  }

  private int runHolding(HeldLock held, Session session) throws InterruptedException {
    try {
      if (Thread.interrupted()) {
        throw new InterruptedException("a signal came before the command ran");
      }
      return runChild(held, session);
    } finally {
      becomeUninterruptible();
    }
  }

  /** Whatever ends this: the command must not run on without the lock. */
  private int runChild(HeldLock held, Session session) throws InterruptedException {
    CompletableFuture<LockLostException> lost = held.lost();
    ChildProcess running =
        ChildProcess.start(
            command,
            Map.of(
                "COORDINATOR_LOCK_NAME",
                held.name(),
                "COORDINATOR_TOKEN",
                Long.toUnsignedString(held.token()),
                "COORDINATOR_LEASE_ID",
                Long.toUnsignedString(session.leaseId())));
    try {
      CompletableFuture<Void> stopped = lost.thenAcceptAsync(reason -> stopLosing(reason, running));
      int exitCode = running.await();
      if (!lost.isDone()) {
        return exitCode;
      }
      // Its descendants may outlive it.
      stopped.join();
      return ExitCode.LOCK_LOST;
    } catch (InterruptedException | RuntimeException | Error e) {
      running.stop(grace);
      throw e;
    }
  }

  private void stopLosing(LockLostException reason, ChildProcess running) {
    say(reason.getMessage() + "; stopping the command");
    try {
      running.stop(grace);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A signal to this process ends the command first, and gives the lock back only then. */
  private void endOnSignal(Thread main) {
    synchronized (interruption) {
      if (interruptible) {
        main.interrupt();
      }
    }
    try {
      done.await(grace.plus(RELEASE_LIMIT).toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void becomeUninterruptible() {
    synchronized (interruption) {
      interruptible = false;
      Thread.interrupted();
    }
  }

  /** Arguments may be secrets. */
  private String shownToOthers() {
    return metadata == null ? command.get(0) : metadata;
  }

  private void say(String line) {
    spec.commandLine().getErr().println("coordinator: " + line);
    spec.commandLine().getErr().flush();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.demo;

import dev.coordinator.client.CoordinatorClient;
import dev.coordinator.client.LeaderElection;
import dev.coordinator.client.Leadership;
import dev.coordinator.client.SessionOptions;
import dev.coordinator.client.UnavailableException;
import dev.coordinator.server.cli.ConnectionOptions;
import dev.coordinator.server.cli.ExitCode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A worker of the demonstration: while it leads, it appends numbered lines to a guarded file. */
@Command(
    name = "worker",
    hidden = true,
    description = "Competes for the lead and, while it leads, appends lines to a guarded file.")
final class WorkerCommand implements Callable<Integer> {

  /** How long the cluster waits for a silent worker. */
  static final Duration TTL = Duration.ofSeconds(2);

  static final String ELECTION = "demo/leader";

  private static final long LINE_INTERVAL_MS = 5;

  @Option(names = "--name", required = true, description = "Who this is.")
  private String name;

  @Option(names = "--file", required = true, description = "What to append to.")
  private Path file;

  @Mixin private ConnectionOptions connections;

  @Override
  public Integer call() throws InterruptedException {
    try (CoordinatorClient client =
        CoordinatorClient.builder().endpoints(connections.endpoints()).build()) {
      LeaderElection election =
          LeaderElection.builder(client, ELECTION)
              .session(SessionOptions.ofTtl(TTL).withOwner("worker " + name))
              .onElected(leadership -> work(client, leadership))
              .start();
      Runtime.getRuntime().addShutdownHook(new Thread(election::close, "resign-on-signal"));
      // The election's thread works; this one waits for the signal that ends the process.
      new CountDownLatch(1).await();
    }
    return ExitCode.OK;
  }

  private void work(CoordinatorClient client, Leadership leadership) throws Exception {
    GuardedFile guarded = new GuardedFile(file);
    long sequence = guarded.claim(leadership.token());
    while (leadership.isValid()) {
      if (isConfirmed(client, leadership)) {
        sequence++;
        guarded.append(leadership.token(), sequence, name);
      }
      TimeUnit.MILLISECONDS.sleep(LINE_INTERVAL_MS);
    }
  }

  /**
   * Asks the cluster for each line. A worker need not do this, for the file is guarded anyway; it
   * does, so that the lines show when the cluster did not answer.
   */
  private static boolean isConfirmed(CoordinatorClient client, Leadership leadership) {
    try {
      return client.locks().check(ELECTION, leadership.token()).valid();
    } catch (UnavailableException e) {
      return false;
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import dev.coordinator.server.cli.local.ChildJvm;
import dev.coordinator.server.cli.local.LocalCluster;
import dev.coordinator.server.cli.local.Ports;
import dev.coordinator.server.cli.local.TemporaryDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * What a lock is worth when its holders are paused: five processes raise a register under a lock of
 * a short TTL, and every few seconds one of them is stopped for longer than that.
 *
 * <p>Whoever wakes up in the middle of its work writes what it had read long ago, and undoes what
 * the others wrote meanwhile; unless the register checks the token.
 */
@Command(
    name = "fencing",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = "Stops holders of a lock for longer than its TTL and counts lost updates.")
public final class FencingTrial implements Callable<Integer> {

  /** Who looks whether the hold still stands. */
  enum Check {
    /** Nobody. */
    NONE,
    /** The client, before it writes. */
    CLIENT,
    /** The register, which refuses stale tokens. */
    TOKEN
  }

  /** What came of it. */
  record Result(long acknowledged, long lost, int refused, int pauses) {

    @Override
    public String toString() {
      return "%,d updates acknowledged, %,d of them lost (%.1f %%), %,d requests with a stale token refused; %d pauses"
          .formatted(acknowledged, lost, 100.0 * lost / acknowledged, refused, pauses);
    }
  }

  private static final int MEMBERS = 3;
  private static final int CLIENTS = 5;
  private static final Duration TTL = Duration.ofSeconds(2);
  private static final long LEAST_PAUSE_MS = 2_500;
  private static final long MOST_PAUSE_MS = 4_500;
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final List<String> JVM_OPTIONS =
      List.of("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

  @Option(names = "--check", description = "Who checks: ${COMPLETION-CANDIDATES}.")
  private Check check = Check.TOKEN;

  @Option(names = "--minutes", description = "How long to go on.")
  private int minutes = 5;

  @Option(names = "--interval-ms", description = "Time from one pause to the next.")
  private long intervalMs = 5_000;

  @Option(names = "--seed", description = "Decides who is paused and for how long.")
  private long seed = System.currentTimeMillis();

  @Option(
      names = "--holder",
      description = "Stop whoever is at work on the register, not just anybody.")
  private boolean holder;

  private FencingTrial() {}

  FencingTrial(Check check, long intervalMs, boolean holder) {
    this.check = check;
    this.intervalMs = intervalMs;
    this.holder = holder;
  }

  /** Exit code 0: nothing was lost, or nobody checked. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new FencingTrial()).execute(args));
  }

  @Override
  public Integer call() throws Exception {
    try (TemporaryDirectory directory = TemporaryDirectory.in(null, "coordinator-fencing-")) {
      Result result = run(directory.path(), Duration.ofMinutes(minutes));
      System.out.printf(
          "%d clients, TTL %d s, a pause every %.1f s, checked by %s: %s%n",
          CLIENTS, TTL.toSeconds(), intervalMs / 1e3, check, result);
      return check == Check.TOKEN && result.lost() != 0 ? 1 : 0;
    }
  }

  /** Runs it with files in this directory. */
  Result run(Path directory, Duration duration) throws IOException, InterruptedException {
    GuardedRegister register = new GuardedRegister(check == Check.TOKEN);
    List<Process> clients = new ArrayList<>();
    try (LocalCluster cluster = new LocalCluster(directory, Ports.free(MEMBERS), Map.of());
        RegisterServer server = new RegisterServer(register)) {
      cluster.start();
      cluster.awaitAll(PATIENCE);
      for (int i = 0; i < CLIENTS; i++) {
        clients.add(startClient(i, server.port(), cluster.endpoints(), directory));
      }
      awaitWrites(register);
      int pauses = pauseClients(clients, server, duration);
      // The register counts what it has acknowledged, so there is nothing to wait for.
      return new Result(
          register.acknowledgedWrites(), register.lostWrites(), server.refused(), pauses);
    } finally {
      for (Process client : clients) {
        client.destroyForcibly().waitFor();
      }
    }
  }

  private Process startClient(int number, int port, List<String> endpoints, Path directory)
      throws IOException {
    List<String> arguments = new ArrayList<>();
    arguments.add(Integer.toString(number));
    arguments.add(Long.toString(TTL.toMillis()));
    arguments.add(Boolean.toString(check == Check.CLIENT));
    arguments.add(Integer.toString(port));
    arguments.addAll(endpoints);
    return ChildJvm.start(
        ChildJvm.command(FencingClient.class, JVM_OPTIONS, arguments),
        directory.resolve("client-" + number + ".txt"));
  }

  private static void awaitWrites(GuardedRegister register) throws InterruptedException {
    long endNanos = System.nanoTime() + PATIENCE.toNanos();
    while (register.acknowledgedWrites() < CLIENTS) {
      if (System.nanoTime() - endNanos > 0) {
        throw new IllegalStateException("the clients do not get to write");
      }
      TimeUnit.MILLISECONDS.sleep(20);
    }
  }

  private int pauseClients(List<Process> clients, RegisterServer server, Duration duration)
      throws IOException, InterruptedException {
    SplittableRandom random = new SplittableRandom(seed);
    long endNanos = System.nanoTime() + duration.toNanos();
    int pauses = 0;
    while (System.nanoTime() - endNanos < 0) {
      int victim = random.nextInt(CLIENTS);
      int reader = server.reader();
      while (holder && reader == RegisterServer.NOBODY) {
        TimeUnit.MILLISECONDS.sleep(1);
        reader = server.reader();
      }
      Process client = clients.get(holder ? reader : victim);
      if (!client.isAlive()) {
        throw new IllegalStateException("a client ended with exit code " + client.exitValue());
      }
      long pauseMs = random.nextLong(LEAST_PAUSE_MS, MOST_PAUSE_MS);
      signal(client, "STOP");
      TimeUnit.MILLISECONDS.sleep(pauseMs);
      signal(client, "CONT");
      pauses++;
      TimeUnit.MILLISECONDS.sleep(Math.max(0, intervalMs - pauseMs));
    }
    return pauses;
  }

  private static void signal(Process process, String name)
      throws IOException, InterruptedException {
    Shell.run("kill", "-" + name, Long.toString(process.pid()));
  }
}

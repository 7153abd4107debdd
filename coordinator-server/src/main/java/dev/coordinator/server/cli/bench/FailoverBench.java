// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.bench;

import dev.coordinator.server.cli.CliException;
import dev.coordinator.server.cli.ExitCode;
import dev.coordinator.server.cli.Output;
import dev.coordinator.server.cli.Table;
import dev.coordinator.server.cli.local.CleanUpOnSignal;
import dev.coordinator.server.cli.local.LocalCluster;
import dev.coordinator.server.cli.local.MemberProcess;
import dev.coordinator.server.cli.local.Ports;
import dev.coordinator.server.cli.local.TemporaryDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench failover}: how long nothing is granted after the leader dies or freezes. */
@Command(
    name = "failover",
    description = {
      "Measures how long after a failure of the leader the next lock is granted.",
      "",
      "Starts three local members with default settings and a light load of SDK sessions, then"
          + " kills (or freezes) the leader again and again. A trial's time runs from just before"
          + " the signal to the first grant of a lock that was asked for after the leader was gone."
          + " The member comes back and catches up before the next trial."
    },
    footerHeading = "%nExample:%n",
    footer = {
      "  coordinator bench failover --trials 20",
      "  coordinator bench failover --signal stop",
      ""
    })
final class FailoverBench implements Callable<Integer> {

  private static final int MEMBERS = 3;
  private static final Duration LIMIT = Duration.ofMinutes(3);
  private static final long MIN_PAUSE_MS = 1_000;
  private static final long MAX_PAUSE_MS = 2_000;

  /** What happens to the leader. */
  enum Signal {
    /** SIGKILL: its connections break at once. */
    kill,
    /** SIGSTOP: its connections stand, and nothing comes over them. */
    stop
  }

  @Option(
      names = "--signal",
      paramLabel = "SIGNAL",
      defaultValue = "kill",
      description = "kill (SIGKILL) or stop (SIGSTOP). Default: ${DEFAULT-VALUE}.")
  private Signal signal;

  @Option(
      names = "--trials",
      paramLabel = "N",
      defaultValue = "20",
      description = "How often. Default: ${DEFAULT-VALUE}.")
  private int trials;

  @Option(
      names = "--sessions",
      paramLabel = "N",
      defaultValue = "4",
      description = "Sessions that take and release locks meanwhile. Default: ${DEFAULT-VALUE}.")
  private int sessions;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "Where to keep the members' data. Default: the system's temporary directory.")
  private Path directory;

  @Mixin private Output output;

  record Result(
      String signal, int trials, double medianMs, double p90Ms, double maxMs, List<Double> allMs) {

    static Result of(Signal signal, List<Double> allMs) {
      List<Double> sorted = allMs.stream().sorted().toList();
      return new Result(
          signal.name(),
          sorted.size(),
          at(sorted, 0.5),
          at(sorted, 0.9),
          sorted.get(sorted.size() - 1),
          allMs);
    }

    /** The smallest value that at least this share of all values does not exceed. */
    private static double at(List<Double> sorted, double share) {
      return sorted.get((int) Math.ceil(share * sorted.size()) - 1);
    }
  }

  @Override
  public Integer call() throws InterruptedException {
    if (trials < 1 || sessions < 1) {
      throw new CliException(ExitCode.USAGE, "--trials and --sessions must be at least 1");
    }
    List<Double> times = new ArrayList<>();
    try (CleanUpOnSignal cleanUp = CleanUpOnSignal.begin();
        TemporaryDirectory home = TemporaryDirectory.in(directory, "coordinator-failover");
        LocalCluster cluster = new LocalCluster(home.path(), Ports.free(MEMBERS), Map.of())) {
      cluster.start();
      cluster.awaitAll(LIMIT);
      try (LightLoad load = new LightLoad(cluster.endpoints(), sessions)) {
        for (int trial = 0; trial < trials; trial++) {
          times.add(failOnce(cluster, load));
        }
      }
    }
    Result result = Result.of(signal, times);
    output.print(result, () -> table(result));
    return ExitCode.OK;
  }

  private double failOnce(LocalCluster cluster, LightLoad load) throws InterruptedException {
    // Any moment between two heartbeats is as likely as any other.
    TimeUnit.MILLISECONDS.sleep(ThreadLocalRandom.current().nextLong(MIN_PAUSE_MS, MAX_PAUSE_MS));
    MemberProcess leader = cluster.awaitAll(LIMIT);
    load.requireNoFailure();
    long begin = System.nanoTime();
    if (signal == Signal.kill) {
      leader.kill();
    } else {
      leader.freeze();
    }
    long grantedNanos = load.awaitGrantAskedAfter(System.nanoTime(), LIMIT);
    if (signal == Signal.kill) {
      leader.start();
    } else {
      leader.thaw();
    }
    return (grantedNanos - begin) / 1e6;
  }

  private static Table table(Result result) {
    return new Table("SIGNAL", "TRIALS", "MEDIAN MS", "P90 MS", "MAX MS")
        .row(
            result.signal(),
            result.trials(),
            Math.round(result.medianMs()),
            Math.round(result.p90Ms()),
            Math.round(result.maxMs()));
  }
}

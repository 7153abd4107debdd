// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The fault runner's command line, for runs of any length. */
@Command(
    name = "faults",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = "Breaks a cluster of real members in many ways and checks what its clients saw.")
public final class FaultRunner implements Callable<Integer> {

  @Option(names = "--seed", description = "Decides which faults strike, when and for how long.")
  private long seed = System.currentTimeMillis();

  @Option(names = "--minutes", description = "How long to go on at least.")
  private int minutes = 10;

  @Option(names = "--faults", description = "How many faults at least.")
  private int faults;

  @Option(names = "--operations", description = "How many acknowledged operations at least.")
  private long operations;

  @Option(names = "--members", description = "How many members.")
  private int members = 3;

  @Option(
      names = "--kinds",
      split = ",",
      description = "Only faults whose names begin with one of these.")
  private List<String> kinds = List.of("");

  @Option(
      names = "--pause-ms",
      description = "Mean pause of each client between two rounds: the smaller the more load.")
  private int pauseMs = 40;

  @Option(names = "--dir", description = "Where to keep data and logs meanwhile.")
  private Path directory = Path.of(System.getProperty("java.io.tmpdir"));

  @Option(
      names = "--loopback",
      description = "Without namespaces and disks of the members' own, which need root.")
  private boolean loopback;

  private static final long CLEAN_UP_LIMIT_S = 30;

  private FaultRunner() {}

  /** Exit code 0: no violation. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new FaultRunner()).execute(args));
  }

  @Override
  public Integer call() throws Exception {
    Set<Need> needs = loopback ? Set.of() : Need.met();
    List<FaultKind> chosen =
        FaultKind.possible(needs, members).stream()
            .filter(kind -> kinds.stream().anyMatch(kind.name()::startsWith))
            .toList();
    if (!loopback) {
      Need.missing().forEach(need -> System.out.println("missing: " + need));
    }
    System.out.printf(
        "seed %d, %d members, %d minutes, %d kinds of faults: %s%n",
        seed,
        members,
        minutes,
        chosen.size(),
        String.join(" ", chosen.stream().map(FaultKind::name).toList()));
    FaultRun run =
        new FaultRun(
            new FaultRun.Plan(
                seed,
                Duration.ofMinutes(minutes),
                faults,
                operations,
                members,
                chosen,
                needs,
                pauseMs,
                directory),
            System.out);
    Thread main = Thread.currentThread();
    CountDownLatch ended = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> interruptAndAwait(main, ended)));
    try {
      run.run();
      return 0;
    } catch (Violation violation) {
      return 1;
    } catch (InterruptedException stopped) {
      return 2;
    } finally {
      System.out.println(run.report());
      System.out.println(run.tally());
      ended.countDown();
    }
  }

  /** A run that is stopped by a signal takes everything down before it ends. */
  private static void interruptAndAwait(Thread main, CountDownLatch ended) {
    if (ended.getCount() == 0) {
      return;
    }
    main.interrupt();
    try {
      ended.await(CLEAN_UP_LIMIT_S, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

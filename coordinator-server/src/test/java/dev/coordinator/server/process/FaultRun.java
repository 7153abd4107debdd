// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * One run: a cluster, clients that keep it busy, and one fault after the other.
 *
 * <p>A fault strikes, everything is put right again, and the cluster must recover without help.
 * After some faults the clients stop for a moment and their histories are checked.
 */
final class FaultRun {

  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss");
  private static final int STRIKES_PER_STRETCH = 8;
  private static final Duration RECOVERY_LIMIT = Duration.ofMinutes(5);

  /**
   * What to run.
   *
   * @param duration how long at least
   * @param faults how many at least
   * @param operations how many acknowledged ones at least
   * @param kinds those to choose from
   * @param needs what the hosts are made of
   * @param pauseMs mean pause of each client between two rounds
   */
  record Plan(
      long seed,
      Duration duration,
      int faults,
      long operations,
      int members,
      List<FaultKind> kinds,
      Set<Need> needs,
      int pauseMs,
      Path directory) {

    Plan {
      kinds = List.copyOf(kinds);
      needs = Set.copyOf(needs);
    }
  }

  private final Plan plan;
  private final PrintStream out;
  private final SplittableRandom random;
  private final Draw draw;
  private final Tally tally = new Tally();
  private final FaultReport report = new FaultReport();
  private final List<FaultKind> bag = new ArrayList<>();
  private List<String> latest = List.of();

  FaultRun(Plan plan, PrintStream out) {
    this.plan = plan;
    this.out = out;
    this.random = new SplittableRandom(plan.seed());
    this.draw = new Draw(random.split());
  }

  FaultReport report() {
    return report;
  }

  Tally tally() {
    return tally;
  }

  /**
   * Runs it.
   *
   * @throws Violation if the cluster did not keep a promise; the message says where the logs are
   */
  void run() throws IOException, InterruptedException {
    Map<String, String> settings = settings();
    say("members with " + settings);
    Testbed testbed = new Testbed(plan.directory(), plan.members(), plan.needs(), settings);
    Violation found = null;
    try {
      run(testbed);
    } catch (Violation violation) {
      found = violation;
      say("VIOLATION with or after %s: %s".formatted(latest, violation.getMessage()));
      throw violation;
    } finally {
      testbed.close();
      if (found != null) {
        Path kept = testbed.keepLogs();
        Files.write(kept.resolve("history.txt"), found.historyLines());
        say("the members' logs, and what clients did to the lock, are in " + kept);
      } else {
        testbed.deleteLogs();
      }
    }
  }

  /** New segments and snapshots all the time, so that faults meet them. */
  private Map<String, String> settings() {
    Map<String, String> settings = new TreeMap<>();
    settings.put("storage.segmentSize", "1MiB");
    settings.put("storage.snapshotAfterEntries", draw.one(List.of("300", "2000", "10000")));
    settings.put("storage.snapshotTailEntries", draw.one(List.of("0", "200", "5000")));
    settings.put("raft.maxSnapshotChunkSize", "64KiB");
    return settings;
  }

  private void run(Testbed testbed) throws IOException, InterruptedException {
    ExecutorService strikers = Executors.newFixedThreadPool(FaultKind.Part.values().length);
    testbed.start();
    testbed.awaitRecovery(RECOVERY_LIMIT);
    try (Keeper keeper = new Keeper(testbed.endpoints());
        Load load = new Load(testbed, random.split(), plan.pauseMs(), tally)) {
      long endNanos = System.nanoTime() + plan.duration().toNanos();
      while (!isDone(endNanos)) {
        keeper.take();
        load.begin();
        for (int i = 0; i < STRIKES_PER_STRETCH && !isDone(endNanos); i++) {
          draw.last(300, 1_500);
          strike(testbed, strikers);
          load.requireNoViolation();
        }
        load.endAndCheck();
        keeper.checkAndRelease();
        say("%d faults so far; %s".formatted(report.faults(), tally));
      }
    } finally {
      strikers.shutdownNow();
    }
  }

  private boolean isDone(long endNanos) {
    return System.nanoTime() - endNanos >= 0
        && report.faults() >= plan.faults()
        && tally.acknowledgedCount() >= plan.operations();
  }

  /** One fault, or several of different parts at once. */
  private void strike(Testbed testbed, ExecutorService strikers)
      throws IOException, InterruptedException {
    List<FaultKind> kinds = draw();
    List<String> names = kinds.stream().map(FaultKind::name).toList();
    latest = names;
    tally.resetGap();
    long startNanos = System.nanoTime();
    try {
      List<Future<?>> strikes = new ArrayList<>();
      for (FaultKind kind : kinds) {
        Draw own = new Draw(random.split());
        strikes.add(
            strikers.submit(
                () -> {
                  kind.fault().strike(testbed, own);
                  return null;
                }));
      }
      for (Future<?> strike : strikes) {
        await(strike);
      }
      testbed.unexpectedEnd().ifPresent(FaultRun::violated);
    } finally {
      testbed.heal();
    }
    long healedNanos = System.nanoTime();
    testbed.awaitRecovery(RECOVERY_LIMIT);
    long gapMs = tally.longestGapMs();
    report.add(names, gapMs);
    say(
        "%s: %.1f s, recovered %.1f s later, longest time without a grant %.1f s"
            .formatted(
                String.join(" + ", names),
                (healedNanos - startNanos) / 1e9,
                (System.nanoTime() - healedNanos) / 1e9,
                gapMs / 1e3));
  }

  private static void violated(String how) {
    throw new Violation(how);
  }

  private static void await(Future<?> strike) throws IOException, InterruptedException {
    try {
      strike.get(RECOVERY_LIMIT.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Violation violation) {
        throw violation;
      }
      throw new IOException("a fault could not be made", e.getCause());
    } catch (java.util.concurrent.TimeoutException e) {
      throw new IOException("a fault takes too long to be made", e);
    }
  }

  /** All kinds come equally often, in random order. */
  private List<FaultKind> draw() {
    List<FaultKind> kinds = new ArrayList<>();
    Set<FaultKind.Part> parts = EnumSet.noneOf(FaultKind.Part.class);
    int wanted = draw.between(1, FaultKind.Part.values().length);
    if (bag.isEmpty()) {
      bag.addAll(draw.shuffled(plan.kinds()));
    }
    for (Iterator<FaultKind> left = bag.iterator(); left.hasNext() && kinds.size() < wanted; ) {
      FaultKind kind = left.next();
      if (parts.add(kind.part())) {
        kinds.add(kind);
        left.remove();
      }
    }
    return kinds;
  }

  private void say(String line) {
    out.println(LocalTime.now(ZoneOffset.UTC).format(TIME) + " " + line);
  }
}

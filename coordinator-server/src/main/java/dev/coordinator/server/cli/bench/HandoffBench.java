// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.bench;

import dev.coordinator.server.cli.CliException;
import dev.coordinator.server.cli.ExitCode;
import dev.coordinator.server.cli.Output;
import dev.coordinator.server.cli.Table;
import io.grpc.Channel;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench handoff}: one lock that goes from hand to hand. */
@Command(
    name = "handoff",
    description = {
      "Measures how fast one contended lock goes from one waiter to the next.",
      "",
      "Every session waits for the same lock, gives it back at once and queues up again. The"
          + " latency of a hand-off runs from the call that gives the lock back to the answer that"
          + " the next session gets. Two holders at the same time end the benchmark."
    },
    footerHeading = "%nExample:%n",
    footer = {"  coordinator bench handoff --start --waiters 32", ""})
final class HandoffBench implements Callable<Integer> {

  @Option(
      names = "--waiters",
      paramLabel = "N",
      defaultValue = "32",
      description = "How many sessions share the lock. Default: ${DEFAULT-VALUE}.")
  private int waiters;

  @Mixin private BenchTarget target;
  @Mixin private Output output;

  record Row(int waiters, double handoffsPerSecond, Latencies.Summary latency) {}

  @Override
  public Integer call() throws InterruptedException {
    Row row = target.with(this::measure);
    output.print(row, () -> table(row));
    return ExitCode.OK;
  }

  private Row measure(List<Channel> channels) throws InterruptedException {
    String lock = "bench/" + UUID.randomUUID();
    Handoffs run = new Handoffs();
    List<LoadSession> sessions = new ArrayList<>();
    for (int i = 0; i < waiters; i++) {
      sessions.add(new LoadSession(channels.get(i % channels.size()), lock, run));
    }
    LoadRun.Result result = run.run(sessions, target.warmUp(), target.measure());
    return new Row(waiters, result.perSecond(), result.latency());
  }

  /** Counts from one session's release to the next session's grant. */
  private static final class Handoffs extends LoadRun {

    private final AtomicReference<LoadSession> holder = new AtomicReference<>();
    private volatile long releasedNanos;
    private volatile boolean handedOn;

    @Override
    public void granted(LoadSession session, long token) {
      if (!holder.compareAndSet(null, session)) {
        throw new CliException(ExitCode.FAILED, "WRONG: two sessions hold " + session.lock());
      }
      super.granted(session, token);
      if (handedOn) {
        count(releasedNanos);
      }
    }

    @Override
    public void releasing(LoadSession session) {
      releasedNanos = System.nanoTime();
      handedOn = true;
      holder.set(null);
    }
  }

  private static Table table(Row row) {
    Latencies.Summary latency = row.latency();
    return new Table("WAITERS", "HAND-OFFS/S", "P50 MS", "P90 MS", "P99 MS", "P99.9 MS", "MAX MS")
        .row(
            row.waiters(),
            String.format(Locale.ROOT, "%.0f", row.handoffsPerSecond()),
            Latencies.text(latency.p50Ms()),
            Latencies.text(latency.p90Ms()),
            Latencies.text(latency.p99Ms()),
            Latencies.text(latency.p999Ms()),
            Latencies.text(latency.maxMs()));
  }
}

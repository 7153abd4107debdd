// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.bench;

import dev.coordinator.server.cli.ExitCode;
import dev.coordinator.server.cli.Output;
import dev.coordinator.server.cli.Table;
import io.grpc.Channel;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench locks}: pairs of lock and unlock, each session on a lock of its own. */
@Command(
    name = "locks",
    description = {
      "Measures lock+unlock pairs per second, each session on a lock of its own.",
      "",
      "A pair is two replicated writes, one after the other. A session waits for each answer before"
          + " its next call, as a thread of an application does."
    },
    footerHeading = "%nExample:%n",
    footer = {"  coordinator bench locks --start --sessions 1,16,64,256 --output json", ""})
final class LocksBench implements Callable<Integer> {

  @Option(
      names = "--sessions",
      split = ",",
      paramLabel = "N",
      defaultValue = "1,16,64,256",
      description =
          "How many sessions; one measurement for each number. Default: ${DEFAULT-VALUE}.")
  private List<Integer> sessionCounts;

  @Mixin private BenchTarget target;
  @Mixin private Output output;

  record Row(int sessions, double pairsPerSecond, Latencies.Summary latency) {}

  @Override
  public Integer call() throws InterruptedException {
    List<Row> rows = target.with(this::measure);
    output.print(rows, () -> table(rows));
    return ExitCode.OK;
  }

  private List<Row> measure(List<Channel> channels) throws InterruptedException {
    List<Row> rows = new ArrayList<>();
    for (int count : sessionCounts) {
      String prefix = "bench/" + UUID.randomUUID() + "/";
      Pairs run = new Pairs();
      List<LoadSession> sessions = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        sessions.add(new LoadSession(channels.get(i % channels.size()), prefix + i, run));
      }
      LoadRun.Result result = run.run(sessions, target.warmUp(), target.measure());
      rows.add(new Row(count, result.perSecond(), result.latency()));
    }
    return rows;
  }

  /** Counts a round from the call that takes the lock to the answer that it was given back. */
  private static final class Pairs extends LoadRun {
    @Override
    public void releasing(LoadSession session) {}

    @Override
    public boolean released(LoadSession session) {
      count(session.startedNanos());
      return super.released(session);
    }
  }

  private static Table table(List<Row> rows) {
    Table table =
        new Table("SESSIONS", "PAIRS/S", "P50 MS", "P90 MS", "P99 MS", "P99.9 MS", "MAX MS");
    for (Row row : rows) {
      Latencies.Summary latency = row.latency();
      table.row(
          row.sessions(),
          String.format(Locale.ROOT, "%.0f", row.pairsPerSecond()),
          Latencies.text(latency.p50Ms()),
          Latencies.text(latency.p90Ms()),
          Latencies.text(latency.p99Ms()),
          Latencies.text(latency.p999Ms()),
          Latencies.text(latency.maxMs()));
    }
    return table;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.bench;

import dev.coordinator.server.cli.CliException;
import dev.coordinator.server.cli.ConnectionOptions;
import dev.coordinator.server.cli.ExitCode;
import dev.coordinator.server.cli.TimeSpan;
import dev.coordinator.server.cli.local.CleanUpOnSignal;
import dev.coordinator.server.cli.local.LocalCluster;
import dev.coordinator.server.cli.local.Ports;
import dev.coordinator.server.cli.local.TemporaryDirectory;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.GetStatusRequest;
import dev.coordinator.v1.GetStatusResponse;
import io.grpc.Channel;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of a benchmark that say what is measured and for how long. */
final class BenchTarget {

  private static final Duration START_LIMIT = Duration.ofMinutes(3);
  private static final int MEMBERS = 3;

  @Option(
      names = "--start",
      description = "Start three local members to measure, in place of --endpoints.")
  private boolean start;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description =
          "With --start: keep the members' data here, on the disk to be measured. Default: a folder"
              + " in the system's temporary directory.")
  private Path directory;

  @Option(
      names = "--seconds",
      paramLabel = "DURATION",
      defaultValue = "10s",
      converter = TimeSpan.class,
      description = "How long to measure. Default: ${DEFAULT-VALUE}.")
  private Duration measure;

  @Option(
      names = "--warmup",
      paramLabel = "DURATION",
      defaultValue = "10s",
      converter = TimeSpan.class,
      description =
          "How long to run before that. Cold JVMs are several times slower. Default:"
              + " ${DEFAULT-VALUE}.")
  private Duration warmUp;

  @Option(
      names = "--connections",
      paramLabel = "N",
      defaultValue = "2",
      description = "Connections that the sessions share. Default: ${DEFAULT-VALUE}.")
  private int connections;

  @Mixin private ConnectionOptions options;

  Duration measure() {
    return measure;
  }

  Duration warmUp() {
    return warmUp;
  }

  /** A benchmark with the connections it may use, all of them to the leader. */
  interface Body<T> {
    T run(List<Channel> channels) throws InterruptedException;
  }

  <T> T with(Body<T> body) throws InterruptedException {
    if (!start) {
      return withLeader(leaderAddress(), body);
    }
    try (CleanUpOnSignal cleanUp = CleanUpOnSignal.begin();
        TemporaryDirectory home = TemporaryDirectory.in(directory, "coordinator-bench");
        LocalCluster cluster = new LocalCluster(home.path(), Ports.free(MEMBERS), Map.of())) {
      cluster.start();
      return withLeader(cluster.awaitAll(START_LIMIT).clientAddress(), body);
    }
  }

  private String leaderAddress() {
    try (var connection = options.open()) {
      GetStatusResponse status =
          connection.repeatable(
              (channel, end) ->
                  ClusterServiceGrpc.newBlockingStub(channel)
                      .withDeadline(end)
                      .getStatus(GetStatusRequest.getDefaultInstance()));
      if (status.getLeaderAddress().isEmpty()) {
        throw new CliException(ExitCode.UNAVAILABLE, "the cluster has no leader");
      }
      return status.getLeaderAddress();
    }
  }

  private <T> T withLeader(String address, Body<T> body) throws InterruptedException {
    List<ManagedChannel> channels = new ArrayList<>();
    try {
      for (int i = 0; i < Math.max(1, connections); i++) {
        channels.add(
            Grpc.newChannelBuilder(address, InsecureChannelCredentials.create())
                // The work on an answer is small: to hand it to another thread would cost more.
                .directExecutor()
                .build());
      }
      return body.run(List.copyOf(channels));
    } finally {
      channels.forEach(ManagedChannel::shutdownNow);
    }
  }
}

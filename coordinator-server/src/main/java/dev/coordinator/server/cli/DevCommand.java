// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import dev.coordinator.server.CoordinatorServer;
import dev.coordinator.server.Logging;
import dev.coordinator.server.cli.local.Ports;
import dev.coordinator.server.cli.local.TemporaryDirectory;
import dev.coordinator.server.config.ServerConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code coordinator dev}: a whole cluster in one process, to try things out. */
@Command(
    name = "dev",
    description = {
      "Runs a whole cluster in one process on the loopback address, until Ctrl-C.",
      "",
      "The members are real: they replicate over TCP and fsync to disk. Only the process is shared."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "1:A member could not start, or stopped because of a failure.",
      "2:The command line is wrong.",
      "143:It was told to stop (SIGTERM) and did; 130 after Ctrl-C."
    },
    footerHeading = "%nExample:%n",
    footer = {
      "  coordinator dev",
      "  coordinator dev --members 5 --dir /tmp/my-cluster        keeps the data",
      ""
    })
final class DevCommand implements Callable<Integer> {

  private static final int MOST_MEMBERS = 9;
  private static final long CLEAN_UP_LIMIT_S = 20;

  @Option(
      names = "--members",
      paramLabel = "N",
      defaultValue = "3",
      description = "How many. Default: ${DEFAULT-VALUE}.")
  private int members;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "Keep the data here. Default: a temporary folder, removed at the end.")
  private Path directory;

  @Option(
      names = "--port-base",
      paramLabel = "PORT",
      description =
          "First of the ports: 7420 to 7422 for the first member, 7430 to 7432 for the second, and"
              + " so on; 0 for free ones. Default: 7420.")
  private int portBase = Ports.DEFAULT_BASE;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Any key of the members' configuration. May be repeated.")
  private Map<String, String> keys = new TreeMap<>();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    if (members < 1 || members > MOST_MEMBERS) {
      throw new CliException(ExitCode.USAGE, "--members must be from 1 to " + MOST_MEMBERS);
    }
    Logging.install();
    CompletableFuture<Void> stop = new CompletableFuture<>();
    CountDownLatch cleanedUp = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> stopAndAwait(stop, cleanedUp), "stop-on-signal"));
    try {
      if (directory != null) {
        return run(directory, stop);
      }
      try (TemporaryDirectory temporary = TemporaryDirectory.in(null, "coordinator-dev")) {
        return run(temporary.path(), stop);
      }
    } finally {
      cleanedUp.countDown();
    }
  }

  private int run(Path home, CompletableFuture<Void> stop) {
    List<Ports> ports = portBase == 0 ? Ports.free(members) : Ports.from(portBase, members);
    List<CoordinatorServer> servers = new ArrayList<>();
    try {
      for (int id = 1; id <= members; id++) {
        CoordinatorServer server = new CoordinatorServer(config(home, ports, id));
        servers.add(server);
        server.start();
        server
            .terminated()
            .exceptionally(
                failure -> {
                  stop.completeExceptionally(failure);
                  return null;
                });
      }
      greet(home, ports);
      stop.join();
      return ExitCode.OK;
    } catch (IOException e) {
      throw new CliException(ExitCode.FAILED, "a member cannot start: " + e.getMessage());
    } catch (CompletionException e) {
      throw new CliException(ExitCode.FAILED, "a member stopped: " + e.getCause());
    } finally {
      servers.forEach(CoordinatorServer::close);
    }
  }

  private ServerConfig config(Path home, List<Ports> ports, int id) {
    Ports own = ports.get(id - 1);
    Map<String, String> settings = new TreeMap<>(keys);
    settings.putIfAbsent("clusterId", "dev");
    settings.put("memberId", Integer.toString(id));
    settings.put("members", Ports.membersKey(ports));
    settings.put("dataDir", home.resolve("member-" + id).toString());
    settings.put("listen.client", "127.0.0.1:" + own.client());
    settings.put("listen.peer", "127.0.0.1:" + own.peer());
    settings.put("listen.http", "127.0.0.1:" + own.http());
    return ServerConfig.of(settings);
  }

  private void greet(Path home, List<Ports> ports) {
    Table table = new Table("MEMBER", "GRPC", "PROMETHEUS");
    for (int i = 0; i < ports.size(); i++) {
      table.row(
          i + 1,
          "127.0.0.1:" + ports.get(i).client(),
          "http://127.0.0.1:" + ports.get(i).http() + "/metrics");
    }
    String address = "127.0.0.1:" + ports.get(0).client();
    PrintWriter out = spec.commandLine().getOut();
    out.println(table);
    out.println("Data: " + home + (directory == null ? " (removed at the end)" : ""));
    out.println("Try:  coordinator status --endpoints " + address);
    out.println(
        "      grpcurl -plaintext -d '{\"name\": \"my/lock\", \"ttl\": \"60s\"}' "
            + address
            + " coordinator.v1.LockService/AcquireLock");
    out.println("Ctrl-C ends it.");
    out.flush();
  }

  /** A signal ends the JVM only after the members are closed and the temporary folder is gone. */
  private static void stopAndAwait(CompletableFuture<Void> stop, CountDownLatch cleanedUp) {
    stop.complete(null);
    try {
      cleanedUp.await(CLEAN_UP_LIMIT_S, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Logging.end();
  }
}

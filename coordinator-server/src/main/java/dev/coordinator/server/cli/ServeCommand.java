// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import dev.coordinator.server.CoordinatorServer;
import dev.coordinator.server.Logging;
import dev.coordinator.server.config.ServerConfig;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code coordinator serve}: one member of a cluster. */
@Command(
    name = "serve",
    description = {
      "Runs one member of a cluster until SIGTERM or Ctrl-C.",
      "",
      "The configuration comes from a YAML file, over it from the environment, over that from"
          + " flags; each key can be given in each of them. 'coordinator serve --list-keys' shows"
          + " all keys."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:The configuration was checked or listed, as asked.",
      "1:The member could not start, or stopped because of a failure; the log says why.",
      "2:The command line or the configuration is wrong.",
      "143:It was told to stop (SIGTERM) and did; 130 after Ctrl-C."
    },
    footerHeading = "%nExample:%n",
    footer = {
      "  coordinator serve --config /etc/coordinator/member.yaml",
      "  coordinator serve --config member.yaml --member-id 2 --set raft.electionTimeout=500ms",
      "  COORDINATOR_DATA_DIR=/var/lib/coordinator coordinator serve        a cluster of one",
      ""
    })
final class ServeCommand implements Callable<Integer> {

  private static final Logger log = LoggerFactory.getLogger(ServeCommand.class);

  @Mixin private ConfigOptions options;

  @Option(names = "--check", description = "Check the configuration and end.")
  private boolean checkOnly;

  @Option(names = "--list-keys", description = "List all keys of the configuration and end.")
  private boolean listKeys;

  @Mixin private Output output;

  @Override
  public Integer call() {
    if (listKeys) {
      output.print(ServerConfig.describe(), () -> keyTable(ServerConfig.describe()));
      return ExitCode.OK;
    }
    ServerConfig config = options.load();
    if (checkOnly) {
      output.print(Map.of("valid", true), () -> "The configuration is valid.");
      return ExitCode.OK;
    }
    Logging.install();
    return serve(config);
  }

  private static int serve(ServerConfig config) {
    CoordinatorServer server = new CoordinatorServer(config);
    try (server) {
      // Other members learn at once that this one goes, and elect without waiting.
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server), "stop-on-signal"));
      server.start();
      server.awaitTermination();
      return ExitCode.OK;
    } catch (IOException e) {
      throw new CliException(ExitCode.FAILED, "the member cannot start: " + e.getMessage());
    } catch (CompletionException e) {
      log.error("The member stopped because of a failure", e.getCause());
      return ExitCode.FAILED;
    }
  }

  private static void stop(CoordinatorServer server) {
    server.close();
    Logging.end();
  }

  private static Table keyTable(List<ServerConfig.KeyDescription> keys) {
    Table table = new Table("KEY", "ENVIRONMENT", "DEFAULT", "MEANING");
    keys.forEach(
        key -> table.row(key.name(), key.environmentVariable(), key.defaultText(), key.meaning()));
    return table;
  }
}

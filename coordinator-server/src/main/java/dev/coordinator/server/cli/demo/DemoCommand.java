// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.demo;

import dev.coordinator.server.cli.ExitCode;
import dev.coordinator.server.cli.local.CleanUpOnSignal;
import dev.coordinator.server.cli.local.LocalCluster;
import dev.coordinator.server.cli.local.Ports;
import dev.coordinator.server.cli.local.TemporaryDirectory;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code coordinator demo}: what deploy/quickstart shows. */
@Command(
    name = "demo",
    description = {
      "Starts three members and two competing workers as processes of their own, kills the leading"
          + " member and the leading worker, and shows that work goes on without gap or overlap.",
      "",
      "The workers hold a leader lease and append numbered lines to a file that refuses fencing"
          + " tokens smaller than one it has seen. Everything stays up until Ctrl-C, then all"
          + " processes and files are removed."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:Everything held.",
      "1:Something did not hold, or could not be started; the last lines say what.",
      "2:The command line is wrong."
    },
    subcommands = WorkerCommand.class,
    footerHeading = "%nExample:%n",
    footer = {"  coordinator demo --once", ""})
public final class DemoCommand implements Callable<Integer> {

  private static final int MEMBERS = 3;

  @Option(names = "--once", description = "End after the demonstration.")
  private boolean once;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description =
          "Where to make the folder for data, logs and the file. Default: the system's temporary"
              + " directory.")
  private Path directory;

  @Option(
      names = "--port-base",
      paramLabel = "PORT",
      description =
          "First of the ports: 7420 to 7422 for the first member, 7430 to 7432 for the second, and"
              + " so on. If one of them is taken, free ones are used. Default: 7420.")
  private int portBase = Ports.DEFAULT_BASE;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    try (CleanUpOnSignal cleanUp = CleanUpOnSignal.begin();
        TemporaryDirectory home = TemporaryDirectory.in(directory, "coordinator-demo");
        LocalCluster cluster =
            new LocalCluster(
                home.path(), Ports.fromOrFree(portBase, MEMBERS), Map.of("clusterId", "demo"));
        Workers workers = new Workers(home.path(), cluster.endpoints())) {
      Demonstration demonstration = new Demonstration(out, cluster, workers);
      boolean held = demonstration.run();
      if (held && !once) {
        demonstration.stayUp();
      }
      return held ? ExitCode.OK : ExitCode.FAILED;
    }
  }
}

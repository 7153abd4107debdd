// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import dev.coordinator.client.CoordinatorException;
import dev.coordinator.server.cli.bench.BenchCommand;
import dev.coordinator.server.cli.demo.DemoCommand;
import dev.coordinator.server.config.ConfigException;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** The {@code coordinator} command line: its subcommands, and how every one of them fails. */
@Command(
    name = "coordinator",
    versionProvider = CoordinatorCommand.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    description = {
      "A lock service: leases, locks with fencing tokens, and watches, replicated with Raft.",
      ""
    },
    commandListHeading = "%nCommands:%n",
    subcommands = {
      ServeCommand.class,
      DevCommand.class,
      LockCommand.class,
      LocksCommand.class,
      LeaseCommand.class,
      WatchCommand.class,
      StatusCommand.class,
      MemberCommand.class,
      SnapshotCommand.class,
      BenchCommand.class,
      DemoCommand.class
    },
    footerHeading = "%nA first lock:%n",
    footer = {
      "  coordinator dev                                three members on this machine",
      "  coordinator lock backups/db -- ./backup.sh     run a command under a lock",
      "  coordinator locks get backups/db               who holds it, who waits",
      "  coordinator COMMAND --help                     every command explains itself",
      ""
    })
public final class CoordinatorCommand implements Runnable {

  @Spec private CommandSpec spec;

  /** Parses and carries out a command line. Returns the exit code. */
  public static int run(PrintWriter out, PrintWriter err, String... args) {
    // gRPC reports connection trouble to java.util.logging; commands report it themselves.
    Logger grpcLog = Logger.getLogger("io.grpc");
    grpcLog.setLevel(Level.OFF);
    return commandLine(out, err).execute(args);
  }

  static CommandLine commandLine(PrintWriter out, PrintWriter err) {
    CommandLine root = new CommandLine(new CoordinatorCommand());
    root.setOut(out).setErr(err);
    root.setCaseInsensitiveEnumValuesAllowed(true);
    root.setParameterExceptionHandler(CoordinatorCommand::explainUsage);
    root.setExecutionExceptionHandler(CoordinatorCommand::explainFailure);
    describeEverywhere(root);
    return root;
  }

  /** Every command has --help, --version and the same list of exit codes. */
  private static void describeEverywhere(CommandLine command) {
    CommandSpec spec = command.getCommandSpec();
    spec.mixinStandardHelpOptions(true);
    spec.versionProvider(new Version());
    spec.exitCodeOnInvalidInput(ExitCode.USAGE);
    spec.exitCodeOnExecutionException(ExitCode.FAILED);
    spec.usageMessage().abbreviateSynopsis(spec.subcommands().isEmpty()).width(100);
    spec.usageMessage().sortOptions(false);
    if (spec.usageMessage().exitCodeListHeading().isEmpty()) {
      spec.usageMessage().exitCodeListHeading("%nExit codes:%n");
      Map<String, String> codes = new LinkedHashMap<>();
      for (String line : ExitCode.HELP) {
        codes.put(line.substring(0, 1), line.substring(2));
      }
      spec.usageMessage().exitCodeList(codes);
    }
    command.getSubcommands().values().forEach(CoordinatorCommand::describeEverywhere);
  }

  private static int explainUsage(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    PrintWriter err = command.getErr();
    err.println("coordinator: " + e.getMessage());
    if (!CommandLine.UnmatchedArgumentException.printSuggestions(e, err)) {
      err.println("See '" + command.getCommandSpec().qualifiedName() + " --help'.");
    }
    err.flush();
    return ExitCode.USAGE;
  }

  private static int explainFailure(Exception e, CommandLine command, ParseResult parsed)
      throws Exception {
    if (e instanceof CliException failure) {
      return fail(command, failure.getMessage(), failure.exitCode());
    }
    if (e instanceof CoordinatorException failure) {
      return fail(command, failure.getMessage(), SdkFailure.exitCode(failure));
    }
    if (e instanceof ConfigException failure) {
      return fail(command, failure.getMessage(), ExitCode.USAGE);
    }
    if (e instanceof StatusRuntimeException failure) {
      return fail(command, GrpcFailure.describe(failure), GrpcFailure.exitCode(failure));
    }
    if (e instanceof IOException failure) {
      return fail(command, IoFailure.describe(failure), ExitCode.FAILED);
    }
    if (e instanceof UncheckedIOException failure) {
      return fail(command, IoFailure.describe(failure), ExitCode.FAILED);
    }
    if (e instanceof InterruptedException) {
      return fail(command, "interrupted", ExitCode.FAILED);
    }
    throw e;
  }

  private static int fail(CommandLine command, String message, int exitCode) {
    command.getErr().println("coordinator: " + message);
    command.getErr().flush();
    return exitCode;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  /** The version that the build wrote into the jar's manifest. */
  public static final class Version implements IVersionProvider {

    @Override
    public String[] getVersion() {
      return new String[] {"coordinator " + number()};
    }

    public static String number() {
      String version = CoordinatorCommand.class.getPackage().getImplementationVersion();
      return version == null ? "(not run from its jar)" : version;
    }
  }
}

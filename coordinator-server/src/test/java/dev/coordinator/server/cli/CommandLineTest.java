// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.coordinator.server.InProcessCluster;
import dev.coordinator.server.cli.local.ChildJvm;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The commands against a real cluster, as scripts and people use them. */
class CommandLineTest {

  @TempDir private static Path directory;
  private static InProcessCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    cluster = InProcessCluster.start(directory, 3, Map.of());
    cluster.awaitLeader();
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  /** With the address of a follower, which passes calls on. */
  private static Run onCluster(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    int options = all.contains("--") ? all.indexOf("--") : all.size();
    all.addAll(
        options,
        List.of("--timeout", "30s", "--endpoints", cluster.clientAddress(cluster.awaitFollower())));
    return Run.of(all.toArray(String[]::new));
  }

  @Test
  void everyCommandExplainsItself() {
    assertExplained(
        CoordinatorCommand.commandLine(
            new PrintWriter(new StringWriter()), new PrintWriter(new StringWriter())));
  }

  private static void assertExplained(CommandLine command) {
    String name = command.getCommandSpec().qualifiedName();
    if (!command.getCommandSpec().usageMessage().hidden()) {
      String help = command.getUsageMessage();
      assertTrue(help.contains("Exit codes:"), name + " does not tell its exit codes");
      assertTrue(
          help.contains("Example") || help.contains("A first lock"), name + " has no example");
      assertTrue(
          command.getCommandSpec().usageMessage().description().length > 0,
          name + " is not described");
    }
    command.getSubcommands().values().forEach(CommandLineTest::assertExplained);
  }

  @Test
  void wrongUsageIsOneLineAndAHint() {
    Run unit = Run.of("lease", "grant", "--ttl", "5");
    assertEquals(ExitCode.USAGE, unit.exitCode());
    assertTrue(unit.err().contains("'5' is not a duration"), unit.err());
    assertTrue(unit.err().contains("coordinator lease grant --help"), unit.err());

    assertEquals(ExitCode.USAGE, Run.of().exitCode());
    assertEquals(ExitCode.USAGE, Run.of("lease").exitCode());
    assertEquals(ExitCode.USAGE, Run.of("nonsense").exitCode());
    assertEquals(ExitCode.USAGE, Run.of("lease", "get", "abc").exitCode());
    assertEquals(ExitCode.USAGE, Run.of("lease", "get", "0").exitCode());
  }

  @Test
  void anEndpointThatGrpcCannotConnectToIsAUsageError() {
    assertRefused("localhost", "must be host:port");
    assertRefused("http://127.0.0.1:7420", "must be host:port");
    assertRefused("127.0.0.1:port", "must be host:port");
    assertRefused("::1:7420", "write an IPv6 address in brackets");
    assertRefused("my_host:7420", "gRPC does not resolve names with '_'");
    assertRefused("127.0.0.1:0", "must have a port from 1 to 65535");
    assertRefused("127.0.0.1:7420,localhost", "must be host:port");
  }

  /** By the commands of both kinds, those with a connection of their own and those with the SDK. */
  private static void assertRefused(String endpoints, String rule) {
    for (Run run :
        List.of(
            Run.of("status", "--endpoints", endpoints),
            Run.of("lock", "--endpoints", endpoints, "a", "--", "true"))) {
      run.fails(ExitCode.USAGE, "--endpoints: '");
      assertTrue(run.err().contains(rule), run.err());
      assertEquals(2, run.err().lines().count(), run.err());
    }
  }

  @Test
  void aFileThatCannotBeUsedIsNamedWithoutAStackTrace() throws Exception {
    assertEquals(
        "coordinator: backup.snapshot: access denied",
        errorOf(new AccessDeniedException("backup.snapshot")));
    assertEquals(
        "coordinator: a: No space left on device",
        errorOf(new FileSystemException("a", null, "No space left on device")));
    assertEquals("coordinator: Input/output error", errorOf(new IOException("Input/output error")));
    assertEquals(
        "coordinator: a: no such file",
        errorOf(new UncheckedIOException(new NoSuchFileException("a"))));

    Path file = Files.createFile(directory.resolve("no-directory"));
    Run run = Run.of("demo", "--once", "--dir", file.resolve("below").toString());
    run.fails(ExitCode.FAILED, "cannot make a temporary directory: " + file);
    assertEquals(1, run.err().lines().count(), run.err());
  }

  /** What a command that fails in this way leaves on stderr. */
  private static String errorOf(Exception failure) {
    StringWriter err = new StringWriter();
    CommandLine root =
        CoordinatorCommand.commandLine(
            new PrintWriter(new StringWriter()), new PrintWriter(new StringWriter()));
    root.addSubcommand(new Failing(failure));
    root.setErr(new PrintWriter(err, true));
    assertEquals(ExitCode.FAILED, root.execute("failing"));
    return err.toString().stripTrailing();
  }

  @Command(name = "failing")
  private record Failing(Exception failure) implements Callable<Integer> {

    @Override
    public Integer call() throws Exception {
      throw failure;
    }
  }

  @Test
  void aWrongConfigurationIsNamedWithoutAStackTrace() throws Exception {
    Path file = directory.resolve("wrong.yaml");
    Files.writeString(file, "raft:\n  electionTimeot: 1s\n");
    Run wrong = Run.of("serve", "--config", file.toString());
    assertEquals(ExitCode.USAGE, wrong.exitCode());
    assertTrue(wrong.err().contains("raft.electionTimeot is not a known key"), wrong.err());
    assertEquals(1, wrong.err().lines().count(), wrong.err());

    assertEquals(
        ExitCode.OK, Run.of("serve", "--check", "--set", "raft.electionTimeout=2s").exitCode());
    assertTrue(Run.of("serve", "--list-keys").out().contains("COORDINATOR_RAFT_ELECTION_TIMEOUT"));
  }

  @Test
  void aMemberThatCannotStartSaysWhy() {
    Run taken =
        Run.of(
            "serve",
            "--data-dir",
            directory.resolve("second").toString(),
            "--listen-client",
            cluster.clientAddress(1),
            "--listen-peer",
            "127.0.0.1:0",
            "--listen-http",
            "off");
    assertEquals(ExitCode.FAILED, taken.exitCode());
    assertTrue(taken.err().contains("cannot listen at"), taken.err());
    assertEquals(1, taken.err().lines().count(), taken.err());
  }

  @Test
  void noMemberAnswers() {
    Run nobody = Run.of("status", "--endpoints", "127.0.0.1:1", "--timeout", "200ms");
    assertEquals(ExitCode.UNAVAILABLE, nobody.exitCode());
    assertTrue(nobody.err().contains("no member answered at 127.0.0.1:1"), nobody.err());
  }

  @Test
  void statusShowsAllMembers() throws Exception {
    Run status = onCluster("status", "--member-timeout", "30s", "--output", "json");
    assertEquals(ExitCode.OK, status.exitCode(), status.err());
    assertEquals("test", status.json().path("clusterId").asText());
    assertEquals(3, status.json().path("members").size());
    long leaders =
        status.json().path("members").findValuesAsText("role").stream()
            .filter("leader"::equals)
            .count();
    assertEquals(1, leaders);
    assertTrue(onCluster("status").out().contains("MEMBER"));
  }

  @Test
  void aLeaseFromGrantToEnd() throws Exception {
    Run granted = onCluster("lease", "grant", "--ttl", "1h", "--owner", "test", "-o", "json");
    assertEquals(ExitCode.OK, granted.exitCode(), granted.err());
    String id = granted.json().path("leaseId").asText();
    assertEquals(3_600_000, granted.json().path("ttlMs").asLong());
    assertEquals("test", onCluster("lease", "get", id, "-o", "json").json().path("owner").asText());
    assertTrue(onCluster("lease", "list").out().contains("test"));
    assertEquals(ExitCode.OK, onCluster("lease", "renew", id).exitCode());
    assertEquals(ExitCode.OK, onCluster("lease", "revoke", id).exitCode());
    Run gone = onCluster("lease", "renew", id);
    assertEquals(ExitCode.FAILED, gone.exitCode());
    assertTrue(gone.err().contains("LEASE_NOT_FOUND"), gone.err());
    assertEquals(1, gone.err().lines().count(), gone.err());
  }

  @Test
  void aCommandRunsUnderALock() throws Exception {
    Path seen = directory.resolve("seen.txt");
    Run run =
        onCluster(
            "lock",
            "cli/run",
            "--",
            "sh",
            "-c",
            "echo $COORDINATOR_LOCK_NAME $COORDINATOR_TOKEN $COORDINATOR_LEASE_ID > "
                + seen
                + "; exit 7");
    assertEquals(7, run.exitCode(), run.err());
    assertTrue(Files.readString(seen).matches("cli/run \\d+ \\d+\n"), Files.readString(seen));
    assertTrue(onCluster("locks", "get", "cli/run").out().contains("is free"));
  }

  @Test
  void aHeldLockIsShownAndNotAcquiredTwice() throws Exception {
    Path end = directory.resolve("end-held");
    CompletableFuture<Run> holder =
        hold("cli/held", "until [ -e " + end + " ]; do sleep 0.05; done");
    JsonNode held = awaitHolder("cli/held");
    String token = held.path("token").asText();

    Run tried = onCluster("lock", "--try", "cli/held", "--", "true");
    assertEquals(ExitCode.NOT_ACQUIRED, tried.exitCode(), tried.err());
    assertTrue(tried.err().contains("cli/held was not acquired: held for"), tried.err());
    Run waited = onCluster("lock", "--wait", "50ms", "cli/held", "--", "true");
    assertEquals(ExitCode.NOT_ACQUIRED, waited.exitCode(), waited.err());
    assertEquals(ExitCode.OK, onCluster("locks", "check", "cli/held", token).exitCode());
    assertEquals(ExitCode.FAILED, onCluster("locks", "check", "cli/held", token + "0").exitCode());
    assertTrue(onCluster("locks", "list", "cli/h").out().contains("cli/held"));

    Files.createFile(end);
    assertEquals(ExitCode.OK, holder.get(60, TimeUnit.SECONDS).exitCode());
  }

  @Test
  void aCommandIsStoppedWhenItsLockIsLost() throws Exception {
    Path told = directory.resolve("told.txt");
    CompletableFuture<Run> holder =
        hold(
            "cli/lost",
            "trap 'echo TERM > " + told + "; exit 9' TERM; while :; do sleep 0.05; done");
    String lease = awaitHolder("cli/lost").path("leaseId").asText();
    assertEquals(ExitCode.OK, onCluster("lease", "revoke", lease).exitCode());
    Run lost = holder.get(60, TimeUnit.SECONDS);
    assertEquals(ExitCode.LOCK_LOST, lost.exitCode(), lost.err());
    assertEquals("TERM\n", Files.readString(told));
    assertTrue(lost.err().contains("stopping the command"), lost.err());
  }

  @Test
  void anInterruptedCommandIsStoppedBeforeItsLockIsGivenBack() throws Exception {
    Path started = directory.resolve("started-interrupted");
    Path told = directory.resolve("told-interrupted");
    CompletableFuture<Run> ended = new CompletableFuture<>();
    Thread main =
        new Thread(
            () ->
                ended.complete(
                    onCluster(
                        "lock",
                        "cli/interrupted",
                        "--",
                        "sh",
                        "-c",
                        "trap 'echo TERM > %s; exit 9' TERM; touch %s; while :; do sleep 0.05; done"
                            .formatted(told, started))));
    main.start();
    InProcessCluster.await("the command runs", () -> Files.exists(started));
    // As a signal does that arrives while the command is being started.
    main.interrupt();
    assertEquals(ExitCode.FAILED, ended.get(60, TimeUnit.SECONDS).exitCode());
    assertEquals("TERM\n", Files.readString(told));
    assertTrue(onCluster("locks", "get", "cli/interrupted").out().contains("is free"));
  }

  @Test
  void aSignalEndsTheCommandAndItsDescendantsBeforeTheLockIsGivenBack() throws Exception {
    Path started = directory.resolve("started-signal");
    Path tokens = directory.resolve("tokens-signal");
    Path log = directory.resolve("log-signal");
    // The descendant takes its time; the command itself ends at once.
    String descendant =
        "trap 'sleep 0.5; echo $COORDINATOR_TOKEN >> %s; exit' TERM; touch %s;"
                .formatted(tokens, started)
            + " while :; do sleep 0.05; done";
    Process first =
        ChildJvm.start(
            ChildJvm.command(
                List.of("-XX:TieredStopAtLevel=1"),
                List.of(
                    "lock",
                    "--endpoints",
                    cluster.clientAddress(cluster.awaitLeader()),
                    "cli/signal",
                    "--",
                    "sh",
                    "-c",
                    "sh -c \"$0\" & wait",
                    descendant)),
            log);
    try {
      InProcessCluster.await("the command runs", () -> Files.exists(started));
      CompletableFuture<Run> next = hold("cli/signal", "echo $COORDINATOR_TOKEN >> " + tokens);
      first.destroy();
      assertEquals(ExitCode.OK, next.get(60, TimeUnit.SECONDS).exitCode());
      List<Long> order = Files.readAllLines(tokens).stream().map(Long::valueOf).toList();
      assertEquals(2, order.size(), Files.readString(log));
      assertTrue(order.get(0) < order.get(1), order.toString());
    } finally {
      first.destroyForcibly();
    }
  }

  @Test
  void aCommandThatDoesNotExistHasTheExitCodeOfShells() {
    Run missing = onCluster("lock", "cli/missing", "--", "/no/such/command");
    assertEquals(ExitCode.COMMAND_NOT_FOUND, missing.exitCode(), missing.err());
    assertEquals(1, missing.err().lines().count(), missing.err());
    assertTrue(onCluster("locks", "get", "cli/missing").out().contains("is free"));
  }

  @Test
  void aBadNameIsAUsageError() {
    Run bad = onCluster("lock", "/bad/", "--", "true");
    assertEquals(ExitCode.USAGE, bad.exitCode(), bad.err());
    assertTrue(bad.err().contains("name"), bad.err());
    assertFalse(bad.err().contains("\tat "), bad.err());
  }

  private static CompletableFuture<Run> hold(String name, String script) {
    return CompletableFuture.supplyAsync(
        () -> onCluster("lock", "--ttl", "30s", name, "--", "sh", "-c", script));
  }

  private static JsonNode awaitHolder(String name) throws Exception {
    JsonNode[] holder = new JsonNode[1];
    InProcessCluster.await(
        "a holder of " + name,
        () -> {
          try {
            holder[0] = onCluster("locks", "get", name, "-o", "json").json().path("holder");
            return !holder[0].isMissingNode();
          } catch (Exception e) {
            throw new AssertionError(e);
          }
        });
    return holder[0];
  }
}

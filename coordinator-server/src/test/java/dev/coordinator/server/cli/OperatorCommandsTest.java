// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.coordinator.server.CoordinatorServer;
import dev.coordinator.server.InProcessCluster;
import dev.coordinator.server.config.ServerConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Members, backups and what status says of them, as operators do it on the command line. */
class OperatorCommandsTest {

  @TempDir private Path directory;
  private InProcessCluster cluster;

  @BeforeEach
  void start() throws Exception {
    cluster = InProcessCluster.start(directory, 3, Map.of());
    cluster.awaitLeader();
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  private static Run at(String endpoints, String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--timeout", "30s", "--endpoints", endpoints));
    return Run.of(all.toArray(String[]::new));
  }

  private Run at(int member, String... arguments) {
    return at(cluster.clientAddress(member), arguments);
  }

  private Run change(int asked, String command, String member, int addressesOf) {
    return at(
        asked,
        "member",
        command,
        member,
        "--client",
        cluster.clientAddress(addressesOf),
        "--peer",
        cluster.peerAddress(addressesOf));
  }

  private String roles(int asked) throws Exception {
    List<String> roles = new ArrayList<>();
    at(asked, "member", "list", "-o", "json")
        .ok()
        .json()
        .path("members")
        .forEach(row -> roles.add(row.path("memberId").asText() + row.path("role").asText()));
    return String.join(" ", roles).replace("leader", "voter");
  }

  @Test
  void aMemberIsAddedPromotedHandedLeadershipAndRemoved() throws Exception {
    int asked = cluster.awaitFollower();
    cluster.join(4);
    change(asked, "add", "4", 4).ok();
    assertEquals("1voter 2voter 3voter 4learner", roles(asked));
    again("member 4 is there already", () -> change(asked, "add", "4", 4));
    assertTrue(at(asked, "member", "list").ok().out().contains("learner"));
    InProcessCluster.await(
        "status to show the learner",
        () -> at(asked, "status", "--member-timeout", "30s").ok().out().contains("learner"));

    at(asked, "member", "promote", "4").ok();
    assertEquals("1voter 2voter 3voter 4voter", roles(asked));
    again("member 4 is a voter already", () -> at(asked, "member", "promote", "4"));
    assertEquals("member 4 leads", at(asked, "member", "transfer", "4").ok().out().strip());
    // A leader that has just begun to lead may not have heard of the others yet.
    InProcessCluster.await(
        "the next transfer",
        () -> {
          Run next = at(asked, "member", "transfer");
          assertTrue(next.exitCode() == ExitCode.OK || next.err().contains("REFUSED"), next.err());
          return next.out().contains(" leads");
        });
    at(asked, "member", "remove", "4").ok();
    assertEquals("1voter 2voter 3voter", roles(asked));
    again("member 4 is not there", () -> at(asked, "member", "remove", "4"));
  }

  /** What was done before says so and succeeds, once no other change is under way. */
  private static void again(String says, Supplier<Run> command) {
    InProcessCluster.await(
        says,
        () -> {
          Run run = command.get();
          assertTrue(run.exitCode() == ExitCode.OK || run.err().contains("REFUSED"), run.err());
          return run.exitCode() == ExitCode.OK && run.out().strip().equals(says);
        });
  }

  @Test
  void aLostMemberIsReplaced() throws Exception {
    int lost = cluster.awaitFollower();
    cluster.stop(lost);
    int asked = cluster.awaitFollowerOtherThan(lost);
    cluster.join(4);
    String[] replace = {
      "member",
      "replace",
      Integer.toString(lost),
      "4",
      "--client",
      cluster.clientAddress(4),
      "--peer",
      cluster.peerAddress(4)
    };
    assertEquals("", at(asked, replace).ok().out());
    assertFalse(roles(asked).contains(lost + "voter"), roles(asked));
    assertTrue(roles(asked).contains("4voter"), roles(asked));
    again(
        "member 4 is a voter already, member " + lost + " is not there", () -> at(asked, replace));
  }

  @Test
  void whatMakesNoSenseIsRefusedInOneLine() {
    int asked = cluster.awaitFollower();
    change(asked, "add", "1", 2).fails(ExitCode.FAILED, "MEMBERSHIP_CHANGE_REFUSED");
    change(asked, "add", "0", 1).fails(ExitCode.USAGE, "MEMBER");
    at(asked, "member", "add", "4", "--client", "nowhere", "--peer", "a:1")
        .fails(ExitCode.USAGE, "client_address");
    at(asked, "member", "add", "4", "--client", "a:1").fails(ExitCode.USAGE, "--peer");
    at(asked, "member", "promote", "9").fails(ExitCode.FAILED, "member 9 is no learner");
    at(asked, "member", "transfer", "9").fails(ExitCode.FAILED, "MEMBERSHIP_CHANGE_REFUSED");
    assertEquals(1, at(asked, "member", "promote", "9").err().lines().count());
    assertEquals(ExitCode.USAGE, Run.of("member").exitCode());
    assertEquals(ExitCode.USAGE, Run.of("snapshot").exitCode());
  }

  @Test
  void aLearnerDoesNotCountForTheMajority() throws Exception {
    int leader = cluster.awaitLeader();
    String nobody = "127.0.0.1:1";
    for (String learner : List.of("4", "5", "6")) {
      at(leader, "member", "add", learner, "--client", nobody, "--peer", nobody).ok();
    }
    Run status = at(leader, "status", "--member-timeout", "30s", "-o", "json").ok();
    assertEquals(6, status.json().path("members").size());
    assertFalse(status.json().path("members").get(5).path("voter").asBoolean(true));
  }

  /** Takes a lock for a moment. Returns its token. */
  private long token(String endpoint, String lock) throws Exception {
    Path seen = directory.resolve("token-" + lock);
    Run.of(
            "lock",
            "--timeout",
            "30s",
            "--endpoints",
            endpoint,
            lock,
            "--",
            "sh",
            "-c",
            "echo $COORDINATOR_TOKEN > " + seen)
        .ok();
    return Long.parseLong(Files.readString(seen).strip());
  }

  private Run restore(Path file, String... more) {
    List<String> command =
        new ArrayList<>(
            List.of("snapshot", "restore", file.toString(), "--cluster-id", "restored"));
    command.addAll(List.of("--data-dir", directory.resolve("restored").toString()));
    command.addAll(List.of("--member-id", "1"));
    if (!List.of(more).contains("--members")) {
      command.addAll(List.of("--members", "1=127.0.0.1:7420/127.0.0.1:7421"));
    }
    command.addAll(List.of(more));
    return Run.of(command.toArray(String[]::new));
  }

  @Test
  void aBackupIsSavedShownAndRestoredAboveEveryToken() throws Exception {
    int asked = cluster.awaitFollower();
    String lease =
        at(asked, "lease", "grant", "--ttl", "1h", "--owner", "keeper", "-o", "json")
            .ok()
            .json()
            .path("leaseId")
            .asText();
    Path file = directory.resolve("backup.snapshot");
    JsonNode saved = at(asked, "snapshot", "save", file.toString(), "-o", "json").ok().json();
    assertEquals(Files.size(file), saved.path("bytes").asLong());
    at(asked, "snapshot", "save", file.toString()).fails(ExitCode.USAGE, "is there already");
    at(asked, "snapshot", "save", directory.resolve("none/backup.snapshot").toString())
        .fails(ExitCode.FAILED, "cannot write in");
    // The old cluster goes on.
    long later = token(cluster.clientAddress(asked), "after");

    JsonNode shown = Run.of("snapshot", "inspect", file.toString(), "-o", "json").ok().json();
    assertEquals(lease, shown.path("leases").get(0).path("id").asText());
    assertEquals(3, shown.path("summary").path("voters").size());
    assertTrue(Run.of("snapshot", "inspect", file.toString()).ok().out().contains("keeper"));

    Path damaged = directory.resolve("damaged.snapshot");
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(damaged, bytes);
    assertEquals(ExitCode.FAILED, Run.of("snapshot", "inspect", damaged.toString()).exitCode());
    restore(damaged).fails(ExitCode.FAILED, "its checksum is wrong");
    restore(file, "--join").fails(ExitCode.USAGE, "join must be false");
    restore(file, "--members", "").fails(ExitCode.USAGE, "members must be set");
    restore(file, "--generation", "0").fails(ExitCode.USAGE, "must be 1 or more");
    String done = restore(file).ok().out();
    assertTrue(done.contains("cluster 'restored', whose voters are 1."), done);
    restore(file).fails(ExitCode.FAILED, "is not empty");

    try (var restored =
        new CoordinatorServer(
            ServerConfig.of(
                Map.of(
                    "clusterId", "restored",
                    "dataDir", directory.resolve("restored").toString(),
                    "listen.client", "127.0.0.1:0",
                    "listen.peer", "127.0.0.1:0",
                    "listen.http", "off")))) {
      restored.start();
      String address = restored.clientAddress().toString();
      assertEquals(
          "keeper",
          at(address, "lease", "get", lease, "-o", "json").ok().json().path("owner").asText());
      long first = token(address, "new");
      assertTrue(first > later, first + " is not above " + later);
    }
  }
}

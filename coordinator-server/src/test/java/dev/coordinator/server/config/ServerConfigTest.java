// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServerConfigTest {

  @TempDir Path directory;

  private static ServerConfig fromFlags(Map<String, String> flags) {
    return ServerConfig.of(flags);
  }

  private ServerConfig fromFile(String yaml) throws IOException {
    return ServerConfig.load(Optional.of(write(yaml)), Map.of(), Map.of());
  }

  private Path write(String yaml) throws IOException {
    return Files.writeString(directory.resolve("coordinator.yaml"), yaml);
  }

  @Test
  void aMemberThatJoinsHasNoMembersYet() {
    Map<String, String> flags =
        Map.of("memberId", "4", "join", "true", "members", "1=a:1/a:2,2=b:1/b:2");
    assertEquals(List.of(), ServerConfig.of(flags).members());
  }

  @Test
  void everyKeyHasADefaultAndAMeaning() {
    ServerConfig config = fromFlags(Map.of());
    assertEquals(1, config.memberId());
    assertEquals(
        List.of(
            new ServerConfig.Member(
                1, new Address("127.0.0.1", 7420), new Address("127.0.0.1", 7421))),
        config.members());
    for (ServerConfig.KeyDescription key : ServerConfig.describe()) {
      assertTrue(key.meaning().endsWith("."), key.name());
      assertEquals(key.name().strip(), key.name());
    }
  }

  @Test
  void yamlMayNestKeysAndListMembers() throws IOException {
    ServerConfig config =
        fromFile(
            """
            clusterId: prod
            memberId: 2
            members:
              - {id: 2, client: "b:7420", peer: "b:7421"}
              - {id: 1, client: "a:7420", peer: "a:7421"}
            raft:
              electionTimeout: 2s
            lease.minTtl: 1s
            listen:
              http: off
            """);
    assertEquals("prod", config.clusterId());
    assertEquals(List.of(1L, 2L), config.members().stream().map(ServerConfig.Member::id).toList());
    assertEquals(Duration.ofSeconds(2), config.raft().electionTimeout());
    assertEquals(Duration.ofSeconds(1), config.locking().minTtl());
    assertEquals(Optional.empty(), config.listen().http());
  }

  @Test
  void theEnvironmentOverridesTheFileAndFlagsOverrideBoth() throws IOException {
    Path file = write("clusterId: file\ndataDir: file\nraft.maxBatchSize: 128KiB\n");
    ServerConfig config =
        ServerConfig.load(
            Optional.of(file),
            Map.of("COORDINATOR_DATA_DIR", "env", "COORDINATOR_CLUSTER_ID", "env", "HOME", "/"),
            Map.of("clusterId", "flag"));
    assertEquals("flag", config.clusterId());
    assertEquals(Path.of("env"), config.dataDir());
    assertEquals(128 << 10, config.raft().maxBatchBytes());
  }

  @Test
  void environmentVariablesAreNamedAfterKeys() {
    var variables =
        ServerConfig.describe().stream()
            .map(ServerConfig.KeyDescription::environmentVariable)
            .toList();
    assertTrue(
        variables.containsAll(
            List.of(
                "COORDINATOR_MEMBER_ID",
                "COORDINATOR_DATA_DIR",
                "COORDINATOR_LISTEN_CLIENT",
                "COORDINATOR_RAFT_ELECTION_TIMEOUT",
                "COORDINATOR_GRPC_MAX_CALLS_PER_CONNECTION")),
        variables::toString);
    assertEquals(variables.size(), variables.stream().distinct().count());
  }

  @Test
  void aMisspeltVariableIsNamed() {
    var refusal =
        assertThrows(
            ConfigException.class,
            () ->
                ServerConfig.load(
                    Optional.empty(),
                    Map.of("COORDINATOR_MEMBER_ID", "2", "COORDINATOR_MEMBER", "1=a:1/a:2"),
                    Map.of()));
    assertEquals("COORDINATOR_MEMBER is not a known key (environment)", refusal.getMessage());
  }

  @Test
  void aFounderMustBeToldItsMembers() {
    assertEquals(
        "members must be set, also if this is to be the only one", refusedFounder(Map.of()));
    assertEquals(
        "join must be false for a member that a new cluster begins with",
        refusedFounder(Map.of("join", "true", "memberId", "1")));
    ServerConfig config =
        ServerConfig.loadFounder(
            Optional.empty(), Map.of(), Map.of("memberId", "1", "members", "1=a:1/a:2"));
    assertEquals(1, config.members().size());
  }

  private static String refusedFounder(Map<String, String> flags) {
    return assertThrows(
            ConfigException.class,
            () -> ServerConfig.loadFounder(Optional.empty(), Map.of(), flags))
        .getMessage();
  }

  @Test
  void aBadVariableIsNamed() {
    var refusal =
        assertThrows(
            ConfigException.class,
            () ->
                ServerConfig.load(
                    Optional.empty(), Map.of("COORDINATOR_LISTEN_CLIENT", "x"), Map.of()));
    assertEquals(
        "listen.client = \"x\" (environment variable COORDINATOR_LISTEN_CLIENT): must be host:port"
            + " with a port from 0 to 65535",
        refusal.getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "memberId | 0 | must be a whole number from 1 to",
        "memberId | x | must be a whole number from 1 to",
        "clusterId | a b | must be 1 to 64 letters",
        "dataDir | '' | must not be empty",
        "members | 1=a:1 | must have a client and a peer address",
        "join | yes | must be true or false",
        "members | a:1 | must be a list of members",
        "members | 1=a:1/a:2,1=b:1/b:2 | member 1 appears twice",
        "members | 1=a:0/a:2 | ports must not be 0",
        "listen.client | 7420 | must be host:port",
        "listen.client | a:70000 | must be host:port",
        "listen.client | ::1:7420 | write an IPv6 address in brackets",
        "members | 1=a_b:1/a_b:2 | gRPC does not resolve names with '_'",
        "members | 1=a:1/1.2.3:2 | must have an IP address or a host name",
        "members | 1=a:1/[zz]:2 | must have an IP address or a host name",
        "members | 1=a:1/a%zz:2 | must have an IP address or a host name",
        "raft.electionTimeout | 5 | must be a duration such as",
        "raft.electionTimeout | 1ms | from 50ms to 1m",
        "raft.electionTimeout | 9999999999999h | must be a duration",
        "raft.maxBatchSize | 1GB | must be a size such as",
        "lease.minTtl | 1ms | from 10ms to 24h",
        "limits.maxSnapshotSize | 512KiB | from 1MiB to 1024GiB",
        "limits.maxSnapshotSize | 999999999999GiB | from 1MiB to 1024GiB",
        "limits.maxLeases | 0 | must be a whole number from 1 to",
        "limits.maxLeases | 9999999999 | must be a whole number from 1 to"
      })
  void badValuesAreRefusedNamingKeyRuleAndSource(String key, String value, String rule) {
    var refusal = assertThrows(ConfigException.class, () -> fromFlags(Map.of(key, value)));
    String message = refusal.getMessage();
    assertTrue(message.startsWith(key + " = \"" + value + "\" (flag --" + key + "): "), message);
    assertTrue(message.contains(rule), message);
  }

  /** Once this fails, names with '_' may be allowed. */
  @Test
  void grpcDoesNotResolveNamesWithUnderscores() {
    for (String target : List.of("a_b:7420", "dns:///a_b:7420", "dns:///a%5Fb:7420")) {
      var channel = Grpc.newChannelBuilder(target, InsecureChannelCredentials.create());
      assertThrows(IllegalArgumentException.class, channel::build, target);
    }
  }

  @Test
  void unknownKeysAreRefusedNamingTheSource() throws IOException {
    Path file = write("raft:\n  electionTimeuot: 1s\n");
    var inFile =
        assertThrows(
            ConfigException.class, () -> ServerConfig.load(Optional.of(file), Map.of(), Map.of()));
    assertEquals(
        "raft.electionTimeuot is not a known key (file " + file + ")", inFile.getMessage());

    var inFlags = assertThrows(ConfigException.class, () -> fromFlags(Map.of("colour", "red")));
    assertEquals("colour is not a known key (flag --colour)", inFlags.getMessage());

    var inMembers =
        assertThrows(ConfigException.class, () -> fromFile("members: [{id: 1, cleint: 'a:1'}]\n"));
    assertTrue(inMembers.getMessage().startsWith("members.cleint is not a known key"));
  }

  @Test
  void filesThatAreNoMapsAreRefused() {
    refusedFile("[1, 2]", "must be a map of keys to values");
    refusedFile("a: 'b", "is not well-formed YAML");
    refusedFile("dataDir: a\ndataDir: b", "Duplicate");
    refusedFile("dataDir: [a]", "dataDir must be a single value");
  }

  private void refusedFile(String yaml, String rule) {
    var refusal = assertThrows(ConfigException.class, () -> fromFile(yaml));
    assertTrue(refusal.getMessage().contains(rule), refusal.getMessage());
    assertTrue(refusal.getMessage().contains("coordinator.yaml"), refusal.getMessage());
  }

  @Test
  void keysThatContradictEachOtherAreRefused() {
    refused(
        Map.of("raft.electionTimeout", "200ms"),
        "raft.heartbeatInterval = 100ms must be at most a third of raft.electionTimeout = 200ms");
    refused(
        Map.of("lease.minTtl", "2s", "lease.maxTtl", "1s"),
        "lease.minTtl = 2s must be at most lease.maxTtl = 1s");
    refused(
        Map.of("raft.maxBatchSize", "64MiB", "raft.maxInFlightBatches", "9"),
        "raft.maxBatchSize times raft.maxInFlightBatches = 603979776 bytes must be at most"
            + " 536870912, which is what a follower may have to write at once");
    refused(Map.of("members", "1=a:1/a:2"), "memberId must be set when members is set");
    refused(Map.of("join", "true"), "memberId must be set when join is true");
    refused(Map.of("members", "1=a:1/a:2", "memberId", "7"), "memberId = 7 must be one of members");
  }

  private static void refused(Map<String, String> flags, String message) {
    var refusal = assertThrows(ConfigException.class, () -> fromFlags(flags));
    assertEquals(message, refusal.getMessage());
  }

  @Test
  void defaultsReadBackAsTheyAreDescribed() {
    for (ServerConfig.KeyDescription key : ServerConfig.describe()) {
      if (!key.defaultText().isEmpty()) {
        fromFlags(Map.of(key.name(), key.defaultText()));
      }
    }
  }
}

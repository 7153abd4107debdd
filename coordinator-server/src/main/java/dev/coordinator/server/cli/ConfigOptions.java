// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import dev.coordinator.server.config.ServerConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that give the configuration of a member. */
final class ConfigOptions {

  @Option(
      names = {"-c", "--config"},
      paramLabel = "FILE",
      description = "YAML file; deploy/config/member.yaml is an annotated example.")
  private Path file;

  @Option(names = "--member-id", paramLabel = "N", description = "memberId: which member this is.")
  private String memberId;

  @Option(
      names = "--members",
      paramLabel = "LIST",
      description = "members: all members, each ID=CLIENT_HOST:PORT/PEER_HOST:PORT.")
  private String members;

  @Option(
      names = "--join",
      description = {
        "join: whether this member joins a cluster that runs. It begins empty and waits until it is"
            + " added there."
      })
  private boolean join;

  @Option(
      names = "--cluster-id",
      paramLabel = "NAME",
      description = "clusterId: the cluster's name.")
  private String clusterId;

  @Option(names = "--data-dir", paramLabel = "DIR", description = "dataDir: where the log is kept.")
  private String dataDir;

  @Option(
      names = "--listen-client",
      paramLabel = "HOST:PORT",
      description = "listen.client: where to serve clients.")
  private String listenClient;

  @Option(
      names = "--listen-peer",
      paramLabel = "HOST:PORT",
      description = "listen.peer: where to serve other members.")
  private String listenPeer;

  @Option(
      names = "--listen-http",
      paramLabel = "HOST:PORT",
      description = "listen.http: where to serve metrics and health; 'off' for nowhere.")
  private String listenHttp;

  @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Any key. May be repeated.")
  private Map<String, String> keys = new LinkedHashMap<>();

  /**
   * Reads the file, over it the environment, over that the flags.
   *
   * @throws dev.coordinator.server.config.ConfigException naming the key, the rule and the source
   */
  ServerConfig load() {
    return ServerConfig.load(
        Optional.ofNullable(file), ServerEnvironment.configuration(System.getenv()), flags());
  }

  /** As {@link #load}, for a command that makes a cluster: its members must be told. */
  ServerConfig loadFounder() {
    return ServerConfig.loadFounder(
        Optional.ofNullable(file), ServerEnvironment.configuration(System.getenv()), flags());
  }

  private Map<String, String> flags() {
    Map<String, String> flags = new LinkedHashMap<>(keys);
    put(flags, "memberId", memberId);
    put(flags, "members", members);
    put(flags, "join", join ? "true" : null);
    put(flags, "clusterId", clusterId);
    put(flags, "dataDir", dataDir);
    put(flags, "listen.client", listenClient);
    put(flags, "listen.peer", listenPeer);
    put(flags, "listen.http", listenHttp);
    return flags;
  }

  private static void put(Map<String, String> flags, String key, String value) {
    if (value != null) {
      flags.put(key, value);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The whole configuration of one member, checked. Only the root package sees it; every other part
 * gets the few values that it needs.
 *
 * @param members with which a cluster begins, by rising id, this one included
 * @param join whether this member waits to be added to a running cluster; it has no members then
 */
public record ServerConfig(
    String clusterId,
    long memberId,
    List<Member> members,
    boolean join,
    Path dataDir,
    Listen listen,
    Raft raft,
    Storage storage,
    Locking locking,
    Limits limits,
    Grpc grpc) {

  private static final long MAX_IN_FLIGHT_BYTES = 512 << 20;

  /** The addresses by which clients and other members reach a member. */
  public record Member(long id, Address client, Address peer) {}

  /** Where this member listens; port 0 takes a free one. */
  public record Listen(Address client, Address peer, Optional<Address> http) {}

  public record Raft(
      Duration electionTimeout,
      Duration heartbeatInterval,
      Duration disconnectJitter,
      int maxBatchBytes,
      int maxBatchEntries,
      int maxInFlightBatches,
      int maxPromoteLagEntries,
      int maxSnapshotChunkBytes) {}

  public record Storage(
      int segmentBytes,
      int snapshotAfterEntries,
      int snapshotAfterBytes,
      int snapshotTailEntries,
      int catchUpSnapshots) {}

  /** Of leases, locks and watches. */
  public record Locking(
      Duration minTtl,
      Duration maxTtl,
      Duration keepAliveWindow,
      Duration maxOwnLeaseWait,
      int watchHistoryEvents) {}

  public record Limits(
      int maxQueuedInputs,
      int maxPendingCalls,
      int maxLeases,
      int maxLocks,
      int maxWaitersPerLock,
      int maxLocksPerLease,
      int maxWatches,
      int maxSnapshotStreams,
      long maxSnapshotBytes,
      int maxWaitingSnapshotParts,
      int maxInitialState) {}

  /** What a client may ask of a connection. */
  public record Grpc(
      int maxMessageBytes,
      int maxMetadataBytes,
      int maxCallsPerConnection,
      int maxResets,
      Duration handshakeTimeout,
      Duration keepAliveTime,
      Duration keepAliveTimeout,
      Duration permitKeepAliveTime,
      Duration maxConnectionIdle) {}

  /** One key, for help and documentation. */
  public record KeyDescription(
      String name, String environmentVariable, String defaultText, String meaning) {}

  /** Every key with its default and meaning. */
  public static List<KeyDescription> describe() {
    return Keys.all().stream()
        .map(
            key ->
                new KeyDescription(
                    key.name(),
                    ConfigSources.variable(key.name()),
                    key.defaultText(),
                    key.meaning()))
        .toList();
  }

  /**
   * Reads a configuration: the file, over it the environment, over that the flags.
   *
   * @param environment only {@code COORDINATOR_…} counts, and all of that must be keys
   * @param flags texts by dotted key
   * @throws ConfigException naming the key, the rule and the source
   */
  public static ServerConfig load(
      Optional<Path> file, Map<String, String> environment, Map<String, String> flags) {
    return read(sources(file, environment, flags));
  }

  /**
   * As {@link #load}, where it must not go without saying who the members are: one that was told
   * nothing of others would be a cluster by itself.
   */
  public static ServerConfig loadFounder(
      Optional<Path> file, Map<String, String> environment, Map<String, String> flags) {
    var sources = sources(file, environment, flags);
    if (sources.get(Keys.JOIN)) {
      throw new ConfigException("join must be false for a member that a new cluster begins with");
    }
    if (sources.get(Keys.MEMBERS).isEmpty()) {
      throw new ConfigException("members must be set, also if this is to be the only one");
    }
    return read(sources);
  }

  private static ConfigSources sources(
      Optional<Path> file, Map<String, String> environment, Map<String, String> flags) {
    var sources = new ConfigSources();
    file.ifPresent(sources::addFile);
    sources.addEnvironment(environment);
    sources.addFlags(flags);
    return sources;
  }

  /** The configuration that {@code flags} alone give. */
  public static ServerConfig of(Map<String, String> flags) {
    return load(Optional.empty(), Map.of(), flags);
  }

  private static ServerConfig read(ConfigSources sources) {
    var listen =
        new Listen(
            sources.get(Keys.LISTEN_CLIENT),
            sources.get(Keys.LISTEN_PEER),
            sources.get(Keys.LISTEN_HTTP));
    long memberId = sources.get(Keys.MEMBER_ID);
    boolean join = sources.get(Keys.JOIN);
    List<Member> members = join ? List.of() : sources.get(Keys.MEMBERS);
    if (join) {
      if (!sources.has(Keys.MEMBER_ID)) {
        throw new ConfigException("memberId must be set when join is true");
      }
    } else if (members.isEmpty()) {
      members = List.of(alone(memberId, listen));
    } else if (!sources.has(Keys.MEMBER_ID)) {
      throw new ConfigException("memberId must be set when members is set");
    } else if (members.stream().noneMatch(member -> member.id() == memberId)) {
      throw new ConfigException("memberId = " + memberId + " must be one of members");
    }
    var config =
        new ServerConfig(
            sources.get(Keys.CLUSTER_ID),
            memberId,
            members.stream().sorted((a, b) -> Long.compare(a.id(), b.id())).toList(),
            join,
            sources.get(Keys.DATA_DIR),
            listen,
            readRaft(sources),
            readStorage(sources),
            readLocking(sources),
            readLimits(sources),
            readGrpc(sources));
    config.check();
    return config;
  }

  /** Others reach a member that is alone where it listens; if that is everywhere, on this host. */
  private static Member alone(long memberId, Listen listen) {
    return new Member(memberId, reachable(listen.client()), reachable(listen.peer()));
  }

  private static Address reachable(Address listen) {
    boolean everywhere = listen.host().equals("0.0.0.0") || listen.host().equals("::");
    return everywhere ? new Address("127.0.0.1", listen.port()) : listen;
  }

  private static Raft readRaft(ConfigSources sources) {
    return new Raft(
        sources.get(Keys.ELECTION_TIMEOUT),
        sources.get(Keys.HEARTBEAT_INTERVAL),
        sources.get(Keys.DISCONNECT_JITTER),
        sources.get(Keys.MAX_BATCH_BYTES),
        sources.get(Keys.MAX_BATCH_ENTRIES),
        sources.get(Keys.MAX_IN_FLIGHT_BATCHES),
        sources.get(Keys.MAX_PROMOTE_LAG),
        sources.get(Keys.MAX_SNAPSHOT_CHUNK_BYTES));
  }

  private static Storage readStorage(ConfigSources sources) {
    return new Storage(
        sources.get(Keys.SEGMENT_BYTES),
        sources.get(Keys.SNAPSHOT_AFTER_ENTRIES),
        sources.get(Keys.SNAPSHOT_AFTER_BYTES),
        sources.get(Keys.SNAPSHOT_TAIL_ENTRIES),
        sources.get(Keys.CATCH_UP_SNAPSHOTS));
  }

  private static Locking readLocking(ConfigSources sources) {
    return new Locking(
        sources.get(Keys.MIN_TTL),
        sources.get(Keys.MAX_TTL),
        sources.get(Keys.KEEP_ALIVE_WINDOW),
        sources.get(Keys.MAX_OWN_LEASE_WAIT),
        sources.get(Keys.WATCH_HISTORY));
  }

  private static Limits readLimits(ConfigSources sources) {
    return new Limits(
        sources.get(Keys.MAX_QUEUED_INPUTS),
        sources.get(Keys.MAX_PENDING_CALLS),
        sources.get(Keys.MAX_LEASES),
        sources.get(Keys.MAX_LOCKS),
        sources.get(Keys.MAX_WAITERS_PER_LOCK),
        sources.get(Keys.MAX_LOCKS_PER_LEASE),
        sources.get(Keys.MAX_WATCHES),
        sources.get(Keys.MAX_SNAPSHOT_STREAMS),
        sources.get(Keys.MAX_SNAPSHOT_BYTES),
        sources.get(Keys.MAX_WAITING_SNAPSHOT_PARTS),
        sources.get(Keys.MAX_INITIAL_STATE));
  }

  private static Grpc readGrpc(ConfigSources sources) {
    return new Grpc(
        sources.get(Keys.MAX_MESSAGE_BYTES),
        sources.get(Keys.MAX_METADATA_BYTES),
        sources.get(Keys.MAX_CALLS_PER_CONNECTION),
        sources.get(Keys.MAX_RESETS),
        sources.get(Keys.HANDSHAKE_TIMEOUT),
        sources.get(Keys.KEEP_ALIVE_TIME),
        sources.get(Keys.KEEP_ALIVE_TIMEOUT),
        sources.get(Keys.PERMIT_KEEP_ALIVE_TIME),
        sources.get(Keys.MAX_CONNECTION_IDLE));
  }

  /** Rules that concern more than one key. */
  private void check() {
    if (raft.heartbeatInterval().multipliedBy(3).compareTo(raft.electionTimeout()) > 0) {
      throw new ConfigException(
          "raft.heartbeatInterval = %s must be at most a third of raft.electionTimeout = %s"
              .formatted(
                  Describe.duration(raft.heartbeatInterval()),
                  Describe.duration(raft.electionTimeout())));
    }
    long inFlightBytes = (long) raft.maxBatchBytes() * raft.maxInFlightBatches();
    if (inFlightBytes > MAX_IN_FLIGHT_BYTES) {
      throw new ConfigException(
          "raft.maxBatchSize times raft.maxInFlightBatches = %d bytes must be at most %d, which is"
                  .formatted(inFlightBytes, MAX_IN_FLIGHT_BYTES)
              + " what a follower may have to write at once");
    }
    if (locking.minTtl().compareTo(locking.maxTtl()) > 0) {
      throw new ConfigException(
          "lease.minTtl = %s must be at most lease.maxTtl = %s"
              .formatted(Describe.duration(locking.minTtl()), Describe.duration(locking.maxTtl())));
    }
  }
}

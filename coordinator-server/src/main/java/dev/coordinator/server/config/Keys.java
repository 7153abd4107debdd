// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Every key of the configuration, in the order in which help shows them. */
final class Keys {

  private static final List<Key<?>> ALL = new ArrayList<>();

  static final Key<String> CLUSTER_ID =
      key(
          "clusterId",
          "coordinator",
          Parse::clusterId,
          "Name of the cluster. Members of different clusters refuse each other.");
  static final Key<Long> MEMBER_ID =
      key(
          "memberId",
          "1",
          Parse.number(1, Long.MAX_VALUE),
          "Number of this member, which stays with the data directory. Must be one of `members`,"
              + " unless `join` is set.");
  static final Key<List<ServerConfig.Member>> MEMBERS =
      key(
          "members",
          "",
          Parse::members,
          "All members, this one included, as ID=CLIENT_HOST:PORT/PEER_HOST:PORT, separated by"
              + " commas; in YAML also a list of {id, client, peer}. The addresses are those by"
              + " which clients and other members reach it. Empty: a cluster of this member"
              + " alone. Read when a cluster begins; later changes go through the cluster.");
  static final Key<Boolean> JOIN =
      key(
          "join",
          "false",
          Parse::trueOrFalse,
          "Whether this member joins a cluster that runs: it begins empty and waits until it is"
              + " added there. `members` is not read then.");
  static final Key<Path> DATA_DIR =
      key(
          "dataDir",
          "data",
          text -> Path.of(Parse.path(text)),
          "Directory of the log. Made if absent; one process at a time may use it.");

  static final Key<Address> LISTEN_CLIENT =
      key("listen.client", "0.0.0.0:7420", Parse::address, "Where to serve clients.");
  static final Key<Address> LISTEN_PEER =
      key("listen.peer", "0.0.0.0:7421", Parse::address, "Where to serve the other members.");
  static final Key<Optional<Address>> LISTEN_HTTP =
      key(
          "listen.http",
          "0.0.0.0:7422",
          Parse::addressOrOff,
          "Where to serve /metrics, /livez and /readyz; `off` for nowhere.");

  static final Key<Duration> ELECTION_TIMEOUT =
      duration(
          "raft.electionTimeout",
          "1s",
          "50ms",
          "1m",
          "A follower that hears no leader for this long, and up to twice as long, starts an"
              + " election.");
  static final Key<Duration> HEARTBEAT_INTERVAL =
      duration(
          "raft.heartbeatInterval",
          "100ms",
          "5ms",
          "10s",
          "How often an idle leader is heard. At most a third of raft.electionTimeout.");
  static final Key<Duration> DISCONNECT_JITTER =
      duration(
          "raft.disconnectJitter",
          "20ms",
          "0ms",
          "10s",
          "Largest random delay before a broken connection to the leader leads to an election.");
  static final Key<Integer> MAX_BATCH_BYTES =
      size(
          "raft.maxBatchSize",
          "1MiB",
          64 << 10,
          64 << 20,
          "Most payload in one message between members; times raft.maxInFlightBatches, at most"
              + " 512MiB.");
  static final Key<Integer> MAX_BATCH_ENTRIES =
      count(
          "raft.maxBatchEntries",
          "4096",
          1,
          1_000_000,
          "Most log entries in one message between members.");
  static final Key<Integer> MAX_IN_FLIGHT_BATCHES =
      count(
          "raft.maxInFlightBatches",
          "64",
          1,
          10_000,
          "Most messages with entries sent to a member and not yet answered.");
  static final Key<Integer> MAX_PROMOTE_LAG =
      count(
          "raft.maxPromoteLagEntries",
          "1000",
          0,
          1_000_000,
          "How many entries a learner may be behind and still become a voter.");

  static final Key<Integer> MAX_SNAPSHOT_CHUNK_BYTES =
      size(
          "raft.maxSnapshotChunkSize",
          "1MiB",
          64 << 10,
          64 << 20,
          "Most of a snapshot in one message between members.");

  static final Key<Integer> SEGMENT_BYTES =
      size("storage.segmentSize", "16MiB", 1 << 20, 128 << 20, "Size of one file of the log.");
  static final Key<Integer> SNAPSHOT_AFTER_ENTRIES =
      count(
          "storage.snapshotAfterEntries",
          "100000",
          1,
          1_000_000_000,
          "A snapshot is taken when this many log entries were applied after the one before, or"
              + " storage.snapshotAfterSize is reached.");
  static final Key<Integer> SNAPSHOT_AFTER_BYTES =
      size(
          "storage.snapshotAfterSize",
          "64MiB",
          1 << 10,
          1 << 30,
          "A snapshot is taken when the log entries applied after the one before have this much"
              + " payload, or storage.snapshotAfterEntries is reached.");
  static final Key<Integer> SNAPSHOT_TAIL_ENTRIES =
      count(
          "storage.snapshotTailEntries",
          "20000",
          0,
          1_000_000_000,
          "Log entries kept behind a snapshot, so that a member that lacks no more than these needs"
              + " no snapshot.");
  static final Key<Integer> CATCH_UP_SNAPSHOTS =
      count(
          "storage.catchUpSnapshots",
          "4",
          0,
          1_000_000,
          "While a member is sent a snapshot, the log entries behind it are kept until this many"
              + " newer snapshots were taken, so that it finds them when it has arrived.");

  static final Key<Duration> MIN_TTL =
      duration("lease.minTtl", "100ms", "10ms", "24h", "Shortest TTL of a lease.");
  static final Key<Duration> MAX_TTL =
      duration("lease.maxTtl", "24h", "10ms", "8760h", "Longest TTL of a lease.");
  static final Key<Duration> KEEP_ALIVE_WINDOW =
      duration(
          "lease.keepAliveWindow",
          "100ms",
          "0ms",
          "10s",
          "Longest time for which keep-alives are gathered into one log entry; less for short"
              + " TTLs.");
  static final Key<Duration> MAX_OWN_LEASE_WAIT =
      duration(
          "lock.maxOwnLeaseWait",
          "1h",
          "1ms",
          "24h",
          "Longest wait of an acquisition that makes its own lease: nothing else ends it when its"
              + " caller is gone.");
  static final Key<Integer> WATCH_HISTORY =
      count(
          "watch.historyEvents",
          "100000",
          1,
          100_000_000,
          "Lock events kept in memory so that watches can resume.");

  static final Key<Integer> MAX_QUEUED_INPUTS =
      limit(
          "limits.maxQueuedInputs",
          "65536",
          "Most calls and messages waiting for the node's loop.");
  static final Key<Integer> MAX_PENDING_CALLS =
      limit(
          "limits.maxPendingCalls",
          "65536",
          "Most commands and reads under way, those that wait for a lock not counted; and as many"
              + " renewals.");
  static final Key<Integer> MAX_LEASES =
      limit("limits.maxLeases", "1000000", "Most living leases.");
  static final Key<Integer> MAX_LOCKS =
      limit("limits.maxLocks", "1000000", "Most locks that are held or waited for.");
  static final Key<Integer> MAX_WAITERS_PER_LOCK =
      limit("limits.maxWaitersPerLock", "10000", "Most waiters of one lock.");
  static final Key<Integer> MAX_LOCKS_PER_LEASE =
      limit("limits.maxLocksPerLease", "10000", "Most locks that one lease holds or waits for.");
  static final Key<Integer> MAX_WATCHES =
      limit("limits.maxWatches", "10000", "Most watch streams of this member.");
  static final Key<Integer> MAX_SNAPSHOT_STREAMS =
      limit(
          "limits.maxSnapshotStreams",
          "4",
          "Most calls at a time that fetch a snapshot of this member.");
  static final Key<Long> MAX_SNAPSHOT_BYTES =
      largeSize(
          "limits.maxSnapshotSize",
          "16GiB",
          1L << 20,
          1L << 40,
          "Largest snapshot that this member takes from a leader.");
  static final Key<Integer> MAX_WAITING_SNAPSHOT_PARTS =
      limit(
          "limits.maxWaitingSnapshotParts",
          "32",
          "Most parts of snapshots that wait to be read or written; more are dropped, and asked for"
              + " or sent again.");
  static final Key<Integer> MAX_INITIAL_STATE =
      limit(
          "limits.maxInitialState",
          "100000",
          "Most locks and waiters in initial states that watches of this member have not yet"
              + " sent.");

  static final Key<Integer> MAX_MESSAGE_BYTES =
      size("grpc.maxMessageSize", "64KiB", 32 << 10, 4 << 20, "Largest request of a client.");
  static final Key<Integer> MAX_METADATA_BYTES =
      size("grpc.maxMetadataSize", "8KiB", 1 << 10, 1 << 20, "Largest metadata of a request.");
  static final Key<Integer> MAX_CALLS_PER_CONNECTION =
      count(
          "grpc.maxCallsPerConnection",
          "16384",
          1,
          1_000_000,
          "Most calls under way on one connection of a client; more have to wait.");
  static final Key<Integer> MAX_RESETS =
      count(
          "grpc.maxResets",
          "1000",
          1,
          1_000_000,
          "Most calls that one connection may abandon in 30 s before it is closed as a flood.");
  static final Key<Duration> HANDSHAKE_TIMEOUT =
      duration(
          "grpc.handshakeTimeout",
          "2s",
          "100ms",
          "1m",
          "How long a new connection may take to begin to speak gRPC.");
  static final Key<Duration> KEEP_ALIVE_TIME =
      duration(
          "grpc.keepAliveTime",
          "10s",
          "10s",
          "1h",
          "A connection that was silent for this long is asked for a sign of life.");
  static final Key<Duration> KEEP_ALIVE_TIMEOUT =
      duration(
          "grpc.keepAliveTimeout",
          "5s",
          "100ms",
          "1m",
          "How long to wait for that sign of life before the connection is closed.");
  static final Key<Duration> PERMIT_KEEP_ALIVE_TIME =
      duration(
          "grpc.permitKeepAliveTime",
          "5s",
          "0ms",
          "1h",
          "Clients that ask for signs of life more often are disconnected.");
  static final Key<Duration> MAX_CONNECTION_IDLE =
      duration(
          "grpc.maxConnectionIdle",
          "5m",
          "1s",
          "24h",
          "A connection without calls for this long is closed.");

  private Keys() {}

  static List<Key<?>> all() {
    return Collections.unmodifiableList(ALL);
  }

  private static <T> Key<T> key(
      String name, String defaultText, Function<String, T> parse, String meaning) {
    var key = new Key<>(name, defaultText, parse, meaning);
    ALL.add(key);
    return key;
  }

  private static Key<Duration> duration(
      String name, String defaultText, String min, String max, String meaning) {
    Function<String, Duration> unbounded =
        Parse.duration(Duration.ZERO, Duration.ofMillis(Long.MAX_VALUE));
    return key(
        name, defaultText, Parse.duration(unbounded.apply(min), unbounded.apply(max)), meaning);
  }

  private static Key<Integer> size(
      String name, String defaultText, int minBytes, int maxBytes, String meaning) {
    return key(
        name, defaultText, Parse.size(minBytes, maxBytes).andThen(Math::toIntExact), meaning);
  }

  private static Key<Long> largeSize(
      String name, String defaultText, long minBytes, long maxBytes, String meaning) {
    return key(name, defaultText, Parse.size(minBytes, maxBytes), meaning);
  }

  private static Key<Integer> count(
      String name, String defaultText, int min, int max, String meaning) {
    return key(name, defaultText, Parse.count(min, max), meaning);
  }

  private static Key<Integer> limit(String name, String defaultText, String meaning) {
    return count(name, defaultText, 1, 1_000_000_000, meaning);
  }
}

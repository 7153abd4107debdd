// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** How the protocol is doing: terms, elections, the log and its followers. Fed by the node loop. */
public final class RaftMetrics {

  private record Follower(Reading lag, Reading silence) {

    static Follower register(MeterRegistry registry, long peer) {
      return new Follower(
          Reading.gauge(
              registry,
              "coordinator.raft.replication.lag",
              "How many entries of this leader's log the peer lacks; 0 on other members.",
              "peer",
              Long.toUnsignedString(peer)),
          Reading.gaugeOfSeconds(
              registry,
              "coordinator.raft.peer.silence",
              "How long this leader has not heard of the peer; 0 on other members.",
              "peer",
              Long.toUnsignedString(peer)));
    }

    void remove(MeterRegistry registry) {
      lag.remove(registry);
      silence.remove(registry);
    }
  }

  private final MeterRegistry registry;
  private final Map<String, Reading> roles = new TreeMap<>();
  private final Map<Long, Follower> followers = new TreeMap<>();
  private final Reading term;
  private final Reading hasLeader;
  private final Reading lastIndex;
  private final Reading durableIndex;
  private final Reading commitIndex;
  private final Reading appliedIndex;
  private final Reading proposalsPending;
  private final Counter termChanges;
  private final Counter leaderChanges;
  private final Counter proposalsFailed;
  private final Counter readsFailed;
  private final Counter truncations;
  private final Counter messagesIgnored;
  private final Counter snapshotsInstalled;
  private final Reading afterSnapshotEntries;
  private final Reading afterSnapshotBytes;
  private final Timer electionDuration;
  private final Timer commitLatency;
  private final Timer applyLatency;
  private final Timer readLatency;

  /**
   * @param roleNames every role that there is
   */
  public RaftMetrics(MeterRegistry registry, Collection<String> roleNames) {
    this.registry = registry;
    term = Reading.gauge(registry, "coordinator.raft.term", "The term of this member.");
    hasLeader =
        Reading.gauge(
            registry, "coordinator.raft.has.leader", "Whether this member knows a leader: 1 or 0.");
    lastIndex = index("last", "The index of the newest entry of the log.");
    durableIndex = index("durable", "The index up to which the log is on this member's disk.");
    commitIndex = index("commit", "The index up to which the log is committed.");
    appliedIndex = index("applied", "The index up to which the state machine has applied the log.");
    proposalsPending =
        Reading.gauge(
            registry,
            "coordinator.raft.proposals.pending",
            "Entries proposed here that are not yet applied.");
    termChanges = counter("coordinator.raft.term.changes", "How often the term rose.");
    leaderChanges =
        counter("coordinator.raft.leader.changes", "How often another member became the leader.");
    proposalsFailed =
        counter(
            "coordinator.raft.proposals.failed",
            "Entries proposed here whose outcome stayed unknown because leadership was lost.");
    readsFailed =
        counter("coordinator.raft.reads.failed", "Reads that failed because leadership was lost.");
    truncations =
        counter("coordinator.raft.truncations", "How often entries gave way to a newer leader's.");
    messagesIgnored =
        counter(
            "coordinator.raft.messages.ignored",
            "Messages of peers dropped: of strangers, impossible, or too late to matter.");
    snapshotsInstalled =
        counter(
            "coordinator.raft.snapshots.installed",
            "Snapshots of a leader that replaced this member's state.");
    afterSnapshotEntries =
        Reading.gauge(
            registry,
            "coordinator.raft.log.after.snapshot.entries",
            "Entries that were applied after the newest snapshot was begun.");
    afterSnapshotBytes =
        Reading.gauge(
            registry,
            "coordinator.raft.log.after.snapshot.bytes",
            "Payload of the entries that were applied after the newest snapshot was begun.");
    electionDuration =
        Latencies.timer(
                "coordinator.raft.election.duration",
                "From the start of a campaign of this member until a leader is known.")
            .register(registry);
    commitLatency =
        Latencies.timer(
                "coordinator.raft.commit.latency",
                "From proposing an entry to its commit, on the leader.")
            .register(registry);
    applyLatency =
        Latencies.timer(
                "coordinator.raft.apply.latency",
                "How long the state machine took for the entries committed in one round.")
            .register(registry);
    readLatency =
        Latencies.timer(
                "coordinator.raft.read.latency",
                "From taking a linearizable read to its answer, on the leader.")
            .register(registry);
    for (String role : roleNames) {
      roles.put(
          role,
          Reading.gauge(
              registry,
              "coordinator.raft.role",
              "Whether this member has the role: 1 or 0.",
              "role",
              lowerCase(role)));
    }
  }

  public void termChanged(long newTerm) {
    term.set(newTerm);
    termChanges.increment();
  }

  /** Sets the present state. */
  public void role(String role, long presentTerm, boolean knowsLeader) {
    roles.forEach((name, reading) -> reading.set(name.equals(role) ? 1 : 0));
    term.set(presentTerm);
    hasLeader.set(knowsLeader ? 1 : 0);
  }

  public void leaderChanged() {
    leaderChanges.increment();
  }

  public void electionEnded(boolean preVote, String result) {
    Counter.builder("coordinator.raft.elections")
        .description("Pre-votes and elections of this member, by their end.")
        .tag("type", preVote ? "prevote" : "vote")
        .tag("result", lowerCase(result))
        .register(registry)
        .increment();
  }

  public void electionDuration(long durationMs) {
    electionDuration.record(durationMs, TimeUnit.MILLISECONDS);
  }

  public void appendRejected(long peer) {
    Counter.builder("coordinator.raft.append.rejected")
        .description("Appends of this leader that the follower refused because the logs differ.")
        .tag("peer", Long.toUnsignedString(peer))
        .register(registry)
        .increment();
  }

  public void truncated() {
    truncations.increment();
  }

  public void snapshotInstalled() {
    snapshotsInstalled.increment();
  }

  /** Sets what was applied after the newest snapshot was begun. */
  public void afterSnapshot(long entries, long bytes) {
    afterSnapshotEntries.set(entries);
    afterSnapshotBytes.set(bytes);
  }

  public void messageIgnored() {
    messagesIgnored.increment();
  }

  public void committed(long latencyNanos) {
    commitLatency.record(latencyNanos, TimeUnit.NANOSECONDS);
  }

  public void applied(long durationNanos) {
    applyLatency.record(durationNanos, TimeUnit.NANOSECONDS);
  }

  public void readAnswered(long latencyNanos) {
    readLatency.record(latencyNanos, TimeUnit.NANOSECONDS);
  }

  public void readsFailed(int reads) {
    readsFailed.increment(reads);
  }

  public void proposalsFailed(int proposals) {
    proposalsFailed.increment(proposals);
  }

  public void proposalsPending(int proposals) {
    proposalsPending.set(proposals);
  }

  public void indexes(long last, long durable, long committed, long applied) {
    lastIndex.set(last);
    durableIndex.set(durable);
    commitIndex.set(committed);
    appliedIndex.set(applied);
  }

  /** Sets who the other members are. */
  public void peers(Collection<Long> peers) {
    for (long former : List.copyOf(followers.keySet())) {
      if (!peers.contains(former)) {
        followers.remove(former).remove(registry);
      }
    }
    for (long peer : peers) {
      followers.computeIfAbsent(peer, id -> Follower.register(registry, id));
    }
  }

  /** What a leader knows of a follower. Strangers are ignored. */
  public void follower(long peer, long entriesMissing, long silentForMs) {
    Follower follower = followers.get(peer);
    if (follower != null) {
      follower.lag.set(entriesMissing);
      follower.silence.set(silentForMs / 1e3);
    }
  }

  /** A member that does not lead knows nothing of the others. */
  public void noFollowers() {
    for (Follower follower : followers.values()) {
      follower.lag.set(0);
      follower.silence.set(0);
    }
  }

  private Reading index(String which, String description) {
    return Reading.gauge(registry, "coordinator.raft.log." + which + ".index", description);
  }

  private Counter counter(String name, String description) {
    return Counter.builder(name).description(description).register(registry);
  }

  private static String lowerCase(String name) {
    return name.toLowerCase(Locale.ROOT);
  }
}

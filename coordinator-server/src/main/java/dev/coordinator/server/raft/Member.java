// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import java.util.random.RandomGenerator;

/** What the parts of one member's core share. */
final class Member {

  final RaftConfig config;
  final NodeId self;
  final long incarnation;
  final RandomGenerator random;
  final RaftTrace trace;
  final RaftLog log;
  final ClusterClock clock;
  final Effects effects;

  private long nowMs;
  private long notedChanges;

  Member(
      RaftConfig config,
      NodeId self,
      long incarnation,
      RandomGenerator random,
      RaftTrace trace,
      RaftLog log,
      Effects effects) {
    this.config = config;
    this.self = self;
    this.incarnation = incarnation;
    this.random = random;
    this.trace = trace;
    this.log = log;
    this.effects = effects;
    clock = new ClusterClock(config.electionTimeoutMs());
    clock.seen(log.lastStampMs());
    notedChanges = log.configurations().changes();
  }

  /**
   * Up to where the newest snapshot stands for the log: it has all before, but for a tail that
   * stays for followers that are a little behind.
   */
  long compactableTo() {
    return log.snapshotIndex() - config.snapshotTailEntries();
  }

  /** Drops the entries up to there. */
  void compact() {
    compactTo(compactableTo());
  }

  /** Drops the entries up to {@code index}, as far as the newest snapshot has them. */
  void compactTo(long index) {
    if (log.compactTo(index)) {
      trace.compacted(nowMs, log.base().index());
    }
    effects.compactTo(log.base().index());
  }

  /** The time of the present input. */
  long nowMs() {
    return nowMs;
  }

  /** Every input begins here. Time that seems to run backwards stands still. */
  void advanceTo(long newNowMs) {
    nowMs = Math.max(nowMs, newNowMs);
    clock.advance(nowMs);
  }

  /** Who was not heard since then counts as lost. */
  long electionTimeoutAgoMs() {
    return nowMs - config.electionTimeoutMs();
  }

  /**
   * Draws when to hold the next election: between one and two election timeouts from now (§3.4).
   */
  long drawElectionAtMs() {
    long timeoutMs = config.electionTimeoutMs();
    return nowMs + timeoutMs + random.nextLong(timeoutMs);
  }

  /** Draws when to ask for votes after the connection to the leader broke. */
  long drawJitterEndMs() {
    return nowMs + random.nextLong(config.disconnectJitterMs() + 1);
  }

  /** The read may be answered once everything up to {@code index} is applied. */
  void readSafe(long id, long index) {
    effects.safeReads().add(new Outbox.SafeRead(id, index));
    trace.readSafe(nowMs, id, index);
  }

  void readFailed(long id) {
    effects.failedReads().add(id);
    trace.readFailed(nowMs, id);
  }

  /** Answers a follower that asked for a read. */
  void answer(long term, ReadQueue.Read read, boolean confirmed, long index) {
    effects.sendOnceHardStateIsDurable(
        new RaftMessage.ReadIndexReply(self, read.asker(), term, read.id(), confirmed, index));
  }

  /** The configuration that counts: the latest in the log (§4.1). */
  Membership membership() {
    return log.configurations().present();
  }

  /** Tells if another configuration counts than at the last call. */
  void noteConfiguration() {
    Configurations configurations = log.configurations();
    if (configurations.changes() != notedChanges) {
      notedChanges = configurations.changes();
      trace.configurationChanged(nowMs, configurations.presentIndex(), configurations.present());
    }
  }
}

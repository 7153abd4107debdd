// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.raft.RaftMessage.AppendEntries;
import dev.coordinator.server.raft.RaftMessage.AppendEntriesReply;
import dev.coordinator.server.raft.RaftMessage.InstallSnapshot;
import dev.coordinator.server.raft.RaftMessage.InstallSnapshotReply;
import dev.coordinator.server.raft.RaftMessage.RequestVote;
import dev.coordinator.server.raft.RaftMessage.RequestVoteReply;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * What one member makes of snapshots: those that it takes, gets, sends and starts from (§5.1 and
 * Figure 5.3 of Ongaro's dissertation). Every test prepares one member, gives it an input, and
 * looks at what it wants done.
 */
class RaftSnapshotTest {

  private static final NodeId SELF = new NodeId(1);
  private static final NodeId TWO = new NodeId(2);
  private static final NodeId THREE = new NodeId(3);
  private static final Membership MEMBERSHIP = new Membership(List.of(SELF, TWO, THREE));
  private static final long T = 1_000;
  private static final long HEARTBEAT = 100;
  private static final long RESEND = 300;
  private static final int CATCH_UP_SNAPSHOTS = 4;
  private static final int PART_BYTES = 10;
  private static final int TOTAL_BYTES = 30;

  private final Outbox outbox = new Outbox();
  private int tail;
  private RaftCore core;
  private long now;

  private static SnapshotMeta snapshot(long index, long term) {
    return new SnapshotMeta(new LogPosition(index, term), stampMs(index), MEMBERSHIP, 0);
  }

  private static long stampMs(long index) {
    return index * 10;
  }

  private static List<Entry> entries(long first, long... terms) {
    List<Entry> result = new ArrayList<>();
    for (long term : terms) {
      result.add(Entry.command(first, term, stampMs(first), new byte[] {(byte) term}));
      first++;
    }
    return result;
  }

  private void start(RestoredState restored) {
    RaftConfig config =
        new RaftConfig(T, HEARTBEAT, 20, 1 << 20, 64, 4, 10, tail, CATCH_UP_SNAPSHOTS, RESEND);
    core = new RaftCore(config, SELF, restored, new Random(1), RaftTrace.NONE, now);
    drain();
  }

  /** Starts with a log of entries of these terms. */
  private void start(long term, long... terms) {
    HardState hardState = new HardState(term, NodeId.NONE);
    start(RestoredState.ofLog(MEMBERSHIP, hardState, entries(1, terms)));
  }

  private static RestoredState restored(
      long term, SnapshotMeta snapshot, LogPosition base, long... terms) {
    return new RestoredState(
        MEMBERSHIP,
        new HardState(term, NodeId.NONE),
        snapshot,
        base,
        entries(base.index() + 1, terms),
        0);
  }

  private void drain() {
    core.drainTo(outbox);
    if (!outbox.committedEntries.isEmpty()) {
      core.applied(outbox.committedEntries.get(outbox.committedEntries.size() - 1).index());
    }
  }

  private void receive(RaftMessage message) {
    core.receive(message, now);
    drain();
  }

  private void persist() {
    core.persisted(outbox.batch.number(), now);
    drain();
  }

  private void tick(long durationMs) {
    now += durationMs;
    core.tick(now);
    drain();
  }

  /** Takes entries of leader 2 behind a place, and what it tells as committed. */
  private void append(long term, long prev, long prevTerm, long committed, List<Entry> entries) {
    receive(new AppendEntries(TWO, SELF, term, prev, prevTerm, entries, committed, 0, 0));
  }

  private static InstallSnapshot part(
      NodeId leader, long term, SnapshotMeta snapshot, long offset) {
    byte[] data = new byte[PART_BYTES];
    return new InstallSnapshot(leader, SELF, term, snapshot, TOTAL_BYTES, offset, data, 0, 7, 500);
  }

  private static InstallSnapshot lastPart(long term, SnapshotMeta snapshot) {
    return part(TWO, term, snapshot, TOTAL_BYTES - PART_BYTES);
  }

  private void received(InstallSnapshot last) {
    core.snapshotReceived(last, now);
    drain();
  }

  private <M extends RaftMessage> M only(List<RaftMessage> messages, Class<M> type) {
    List<M> found = messages.stream().filter(type::isInstance).map(type::cast).toList();
    assertEquals(1, found.size(), messages::toString);
    return found.get(0);
  }

  private static InstallSnapshotReply reply(
      long term, long index, long nextOffset, boolean installed) {
    return new InstallSnapshotReply(SELF, TWO, term, index, nextOffset, installed, 7);
  }

  private RaftStatus status() {
    return core.status();
  }

  private RaftLog log() {
    return core.member().log;
  }

  @Nested
  @DisplayName("Figure 5.3: a follower")
  class Following {

    @Test
    @DisplayName("answers a leader of an older term with the newer one")
    void olderTerm() {
      start(5, 1);
      receive(part(TWO, 4, snapshot(9, 3), 0));

      assertEquals(reply(5, 9, 0, false), only(outbox.messages, InstallSnapshotReply.class));
      assertTrue(outbox.receivedChunks.isEmpty());
      assertEquals(NodeId.NONE, status().leader());
    }

    @Test
    @DisplayName("follows a leader whose snapshot comes, and hears it in every part")
    void heard() {
      start(1, 1);
      InstallSnapshot part = part(TWO, 3, snapshot(9, 3), 0);
      receive(part);

      assertEquals(TWO, status().leader());
      assertEquals(new HardState(3, NodeId.NONE), outbox.batch.hardState());
      assertEquals(List.of(part), outbox.receivedChunks);
      for (int i = 0; i < 5; i++) {
        tick(T - 1);
        receive(part);
      }
      assertEquals(RoleKind.FOLLOWER, status().role());
      tick(2 * T);
      assertEquals(RoleKind.PRE_CANDIDATE, status().role());
    }

    @Test
    @DisplayName("asks for the next part once one is stored")
    void nextPart() {
      start(3, 1);
      InstallSnapshot part = part(TWO, 3, snapshot(9, 3), 0);
      receive(part);
      assertTrue(outbox.messages.isEmpty(), "answered before it was stored");

      core.chunkStored(part, 10, now);
      drain();

      assertEquals(reply(3, 9, 10, false), only(outbox.messages, InstallSnapshotReply.class));
    }

    @Test
    @DisplayName("says nothing of a part that is stored when it follows another leader")
    void storedForAnother() {
      start(3, 1);
      InstallSnapshot part = part(TWO, 3, snapshot(9, 3), 0);
      receive(part);
      receive(new AppendEntries(THREE, SELF, 4, 0, 0, List.of(), 0, 0, 0));
      core.chunkStored(part, 10, now);
      drain();

      assertTrue(outbox.messages.isEmpty(), outbox.messages::toString);
      assertTrue(outbox.messagesAfterPersist.isEmpty(), outbox.messagesAfterPersist::toString);
    }

    @Test
    @DisplayName(
        "§5.1: discards its log if that does not reach the snapshot, and goes on behind it")
    void discardsShortLog() {
      start(3, 1, 1);
      receive(lastPart(3, snapshot(9, 2)));
      received(lastPart(3, snapshot(9, 2)));

      assertEquals(snapshot(9, 2), outbox.installed);
      assertEquals(new LogPosition(9, 2), outbox.batch.base());
      assertEquals(List.of(), outbox.batch.entries());
      assertEquals(9, outbox.compactedTo);
      assertTrue(outbox.messages.isEmpty(), "answered before the log is durable");
      assertEquals(
          reply(3, 9, TOTAL_BYTES, true),
          only(outbox.messagesAfterPersist, InstallSnapshotReply.class));
      assertEquals(9, status().committed());
      assertEquals(9, status().applied());
      assertEquals(9, status().last());

      append(3, 9, 2, 10, entries(10, 3));
      assertNull(outbox.batch.base());
      assertEquals(entries(10, 3), outbox.batch.entries());
      assertEquals(entries(10, 3), outbox.committedEntries);
      assertNull(outbox.installed);
    }

    @Test
    @DisplayName(
        "§5.1: keeps the entries after the snapshot if it has the very one that it ends with")
    void keepsSuffix() {
      start(3, 1, 1, 2, 2, 2);
      receive(lastPart(3, snapshot(3, 2)));
      received(lastPart(3, snapshot(3, 2)));

      assertEquals(snapshot(3, 2), outbox.installed);
      assertNull(outbox.batch);
      assertEquals(
          reply(3, 3, TOTAL_BYTES, true), only(outbox.messages, InstallSnapshotReply.class));
      assertEquals(3, status().committed());
      assertEquals(5, status().last());
      assertEquals(entries(4, 2, 2), List.of(log().entry(4), log().entry(5)));

      append(3, 5, 2, 5, List.of());
      assertEquals(entries(4, 2, 2), outbox.committedEntries);
    }

    @Test
    @DisplayName("§5.1: discards also what follows a conflicting entry, and is not stuck with it")
    void discardsConflict() {
      start(3, 1, 1, 1, 1, 1);
      receive(lastPart(3, snapshot(3, 2)));
      received(lastPart(3, snapshot(3, 2)));

      assertEquals(new LogPosition(3, 2), outbox.batch.base());
      assertEquals(3, status().last());
      append(3, 3, 2, 3, entries(4, 3));
      persist();
      assertEquals(4, status().durable());
    }

    @Test
    @DisplayName("needs no snapshot of what is committed, and says so at once")
    void staleSnapshot() {
      start(3, 1, 1, 1, 1);
      append(3, 4, 1, 4, List.of());
      receive(part(TWO, 3, snapshot(2, 1), 0));

      assertTrue(outbox.receivedChunks.isEmpty());
      assertEquals(
          reply(3, 2, TOTAL_BYTES, true), only(outbox.messages, InstallSnapshotReply.class));
      assertEquals(4, status().last());
    }

    @Test
    @DisplayName("leaves log and state alone if a snapshot is whole only when more is committed")
    void overtakenByEntries() {
      start(3, 1, 1);
      InstallSnapshot last = lastPart(3, snapshot(3, 1));
      receive(last);
      append(3, 2, 1, 4, entries(3, 1, 1, 3));
      received(last);

      assertNull(outbox.installed);
      assertNull(outbox.batch);
      assertEquals(0, outbox.compactedTo);
      assertEquals(5, status().last());
      assertEquals(4, status().committed());
    }

    @Test
    @DisplayName("says that it needs no more only when its log is durable up to there")
    void notNeededWaitsForDisk() {
      start(3, 1, 1);
      append(3, 2, 1, 4, entries(3, 1, 1));
      long batch = outbox.batch.number();
      receive(part(TWO, 3, snapshot(4, 1), 0));

      assertTrue(outbox.messages.isEmpty(), outbox.messages::toString);
      assertTrue(only(outbox.messagesAfterPersist, InstallSnapshotReply.class).installed());
      core.persisted(batch, now);
      drain();
      receive(part(TWO, 3, snapshot(4, 1), 0));
      assertTrue(only(outbox.messages, InstallSnapshotReply.class).installed());
    }

    @Test
    @DisplayName("never lets an older snapshot take the place of a newer one")
    void twoSnapshots() {
      start(3, 1);
      receive(lastPart(3, snapshot(9, 3)));
      core.snapshotReceived(lastPart(3, snapshot(9, 3)), now);
      core.snapshotReceived(lastPart(3, snapshot(5, 2)), now);
      drain();
      assertEquals(snapshot(9, 3), outbox.installed);
      assertEquals(new LogPosition(9, 3), outbox.batch.base());

      core.snapshotReceived(lastPart(3, snapshot(12, 3)), now);
      core.snapshotReceived(lastPart(3, snapshot(15, 3)), now);
      drain();
      assertEquals(snapshot(15, 3), outbox.installed);
      assertEquals(new LogPosition(15, 3), outbox.batch.base());
      assertEquals(15, status().committed());
    }

    @Test
    @DisplayName("takes back answers to entries that a snapshot discards before they were written")
    void withdrawsAnswers() {
      start(2, 1);
      core.receive(new AppendEntries(TWO, SELF, 2, 1, 1, entries(2, 2, 2), 0, 0, 0), now);
      core.receive(part(THREE, 3, snapshot(9, 3), TOTAL_BYTES - PART_BYTES), now);
      core.snapshotReceived(part(THREE, 3, snapshot(9, 3), TOTAL_BYTES - PART_BYTES), now);
      drain();

      assertEquals(List.of(), outbox.batch.entries());
      for (RaftMessage message : outbox.messagesAfterPersist) {
        assertFalse(message instanceof AppendEntriesReply, message::toString);
      }
    }

    @Test
    @DisplayName(
        "does not take a late write of discarded entries for one of those after the snapshot")
    void lateWrite() {
      start(2, 1);
      append(2, 1, 1, 0, entries(2, 2, 2, 2, 2));
      long old = outbox.batch.number();
      receive(part(THREE, 3, snapshot(3, 3), TOTAL_BYTES - PART_BYTES));
      received(part(THREE, 3, snapshot(3, 3), TOTAL_BYTES - PART_BYTES));
      receive(new AppendEntries(THREE, SELF, 3, 3, 3, entries(4, 3, 3), 3, 0, 0));
      long latest = outbox.batch.number();

      core.persisted(old, now);
      assertEquals(0, status().durable(), "neither for the snapshot itself");
      core.persisted(latest, now);
      assertEquals(5, status().durable());
    }

    @Test
    @DisplayName("confirms a snapshot only once its log begins there on disk")
    void slowLog() {
      start(2, 1, 1, 1);
      append(2, 3, 1, 2, List.of());
      receive(lastPart(2, snapshot(9, 2)));
      received(lastPart(2, snapshot(9, 2)));
      long beginning = outbox.batch.number();
      assertEquals(
          List.of(reply(2, 9, TOTAL_BYTES, true)),
          outbox.messagesAfterPersist,
          "it may be damaged");

      append(2, 9, 2, 9, List.of());
      assertEquals(2, only(outbox.messages, AppendEntriesReply.class).matchIndex());
      core.persisted(beginning, now);
      append(2, 9, 2, 9, List.of());
      assertEquals(9, only(outbox.messages, AppendEntriesReply.class).matchIndex());
    }

    @Test
    @DisplayName("writes entries that no batch has carried yet although a snapshot has them")
    void unwrittenEntries() {
      start(3, 1);
      core.receive(new AppendEntries(TWO, SELF, 3, 1, 1, entries(2, 2, 2, 3), 0, 0, 0), now);
      core.snapshotReceived(lastPart(3, snapshot(3, 2)), now);
      drain();

      assertNull(outbox.batch.base());
      assertEquals(entries(2, 2, 2, 3), outbox.batch.entries());
      assertEquals(3, status().committed());
    }

    @Test
    @DisplayName("forgets the configurations of a log that a snapshot discards")
    void discardedConfiguration() {
      start(2, 1);
      Membership other = new Membership(List.of(SELF, TWO, THREE, new NodeId(4)));
      append(2, 1, 1, 0, List.of(Entry.configuration(2, 2, stampMs(2), other)));
      append(2, 2, 2, 0, List.of(Entry.configuration(3, 2, stampMs(3), MEMBERSHIP)));
      append(2, 3, 2, 0, List.of(Entry.configuration(4, 2, stampMs(4), other)));
      assertEquals(other, core.member().membership());
      receive(part(THREE, 3, snapshot(3, 3), TOTAL_BYTES - PART_BYTES));
      received(part(THREE, 3, snapshot(3, 3), TOTAL_BYTES - PART_BYTES));

      assertEquals(MEMBERSHIP, core.member().membership());
      assertEquals(0, log().configurations().presentIndex());
    }

    @Test
    @DisplayName("skips entries that its snapshot has, and takes those after it")
    void overlap() {
      start(restored(3, snapshot(5, 2), new LogPosition(5, 2)));
      append(3, 2, 1, 7, entries(3, 1, 2, 2, 3, 3));

      assertEquals(entries(6, 3, 3), outbox.batch.entries());
      assertEquals(entries(6, 3, 3), outbox.committedEntries);
      assertEquals(7, only(outbox.messagesAfterPersist, AppendEntriesReply.class).matchIndex());
    }

    @Test
    @DisplayName("agrees with entries that end before its snapshot, and tells how far that goes")
    void belowSnapshot() {
      start(restored(3, snapshot(5, 2), new LogPosition(5, 2)));
      append(3, 0, 0, 9, List.of());
      AppendEntriesReply heartbeat = only(outbox.messages, AppendEntriesReply.class);
      append(3, 1, 1, 9, entries(2, 1, 1));
      AppendEntriesReply old = only(outbox.messages, AppendEntriesReply.class);

      assertTrue(heartbeat.success() && old.success());
      assertEquals(5, heartbeat.matchIndex());
      assertEquals(5, old.matchIndex());
      assertEquals(5, status().committed());
      assertNull(outbox.batch);
    }

    @Test
    @DisplayName("stops if a leader denies the entry that its snapshot ends with")
    void deniedSnapshot() {
      start(restored(3, snapshot(5, 2), new LogPosition(5, 2)));
      AppendEntries denies = new AppendEntries(TWO, SELF, 3, 3, 1, entries(4, 1, 1, 3), 0, 0, 0);
      assertThrows(RaftInvariantViolation.class, () -> core.receive(denies, now));
    }

    @Test
    @DisplayName("goes on with the cluster time at the end of the snapshot")
    void clusterTime() {
      start(3, 1, 1);
      receive(lastPart(3, snapshot(9, 3)));
      received(lastPart(3, snapshot(9, 3)));
      assertEquals(stampMs(9), core.clusterTimeMs(now));
    }

    @Test
    @DisplayName("installs a snapshot also if it was whole only after its leader was lost")
    void leaderLost() {
      start(3, 1, 1);
      receive(lastPart(3, snapshot(9, 3)));
      tick(2 * T);
      assertEquals(RoleKind.PRE_CANDIDATE, status().role());
      received(lastPart(3, snapshot(9, 3)));

      assertEquals(snapshot(9, 3), outbox.installed);
      assertEquals(List.of(reply(3, 9, TOTAL_BYTES, true)), outbox.messagesAfterPersist);
      assertEquals(RoleKind.FOLLOWER, status().role());
      tick(2 * T);
      assertEquals(
          List.of(
              new RequestVote(SELF, TWO, 4, true, 9, 3),
              new RequestVote(SELF, THREE, 4, true, 9, 3)),
          outbox.messages);
    }

    @Test
    @DisplayName("stands for election no longer if it is no voter by the snapshot")
    void voterNoMore() {
      start(3, 1, 1);
      Membership others = new Membership(List.of(TWO, THREE));
      InstallSnapshot last = lastPart(3, new SnapshotMeta(new LogPosition(9, 3), 0, others, 5));
      receive(last);
      tick(2 * T);
      assertEquals(RoleKind.PRE_CANDIDATE, status().role());
      received(last);
      for (int i = 0; i < 3; i++) {
        assertEquals(RoleKind.FOLLOWER, status().role());
        tick(2 * T);
      }
    }

    @Test
    @DisplayName("judges candidates by the end of its snapshot if it has no entries")
    void votes() {
      start(restored(3, snapshot(5, 2), new LogPosition(5, 2)));
      receive(new RequestVote(TWO, SELF, 4, false, 4, 2));
      assertFalse(only(outbox.messagesAfterPersist, RequestVoteReply.class).granted());
      receive(new RequestVote(THREE, SELF, 4, false, 5, 2));
      assertTrue(only(outbox.messagesAfterPersist, RequestVoteReply.class).granted());
    }

    @Test
    @DisplayName("ignores what no leader can have sent")
    void impossible() {
      start(3, 1);
      SnapshotMeta fine = snapshot(9, 3);
      List<SnapshotMeta> impossible =
          List.of(
              snapshot(0, 0),
              snapshot(9, 0),
              snapshot(9, 5),
              snapshot(Long.MAX_VALUE, 3),
              new SnapshotMeta(fine.last(), -1, MEMBERSHIP, 0),
              new SnapshotMeta(fine.last(), 0, MEMBERSHIP, 10),
              new SnapshotMeta(fine.last(), 0, MEMBERSHIP, -1));
      for (SnapshotMeta snapshot : impossible) {
        receive(part(TWO, 4, snapshot, 0));
      }
      receive(part(TWO, 4, fine, -1));
      receive(part(TWO, 4, fine, TOTAL_BYTES - PART_BYTES + 1));
      receive(new InstallSnapshot(TWO, SELF, 4, fine, 30, 0, new byte[0], 0, 0, 0));
      receive(new InstallSnapshot(TWO, SELF, 4, fine, 30, 0, new byte[1], 0, -1, 0));
      receive(new InstallSnapshot(TWO, SELF, 4, fine, 30, 0, new byte[1], 0, 0, -1));
      receive(part(new NodeId(9), 4, fine, 0));

      assertTrue(outbox.receivedChunks.isEmpty());
      assertEquals(3, status().term());
    }
  }

  @Nested
  @DisplayName("§5.1: a leader")
  class Leading {

    /** Leads in term 2 with entries up to 11 committed, and a snapshot up to there. */
    private void leadAfterSnapshot() {
      start(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
      lead();
      agree(TWO, 11);
      takeSnapshot();
    }

    private void lead() {
      tick(2 * T);
      core.receive(new RequestVoteReply(TWO, SELF, 1, true, true, 2), now);
      drain();
      core.persisted(outbox.batch.number(), now);
      receive(new RequestVoteReply(TWO, SELF, 2, false, true, 2));
      assertTrue(core.isLeader());
      persist();
    }

    private void agree(NodeId follower, long match) {
      long round = core.member().log.last() == 0 ? 0 : lastRound;
      receive(new AppendEntriesReply(follower, SELF, 2, true, match, 0, 0, 0, round));
    }

    private long lastRound;

    private void refuse(NodeId follower, long rejected, long next) {
      receive(new AppendEntriesReply(follower, SELF, 2, false, 0, rejected, 0, next, lastRound));
    }

    private void takeSnapshot() {
      core.snapshotTaken(core.snapshotMeta(), now);
      drain();
    }

    private void answer(long index, long nextOffset, boolean installed) {
      receive(new InstallSnapshotReply(THREE, SELF, 2, index, nextOffset, installed, lastRound));
    }

    private AppendEntries sentTo(NodeId follower) {
      List<AppendEntries> sent = new ArrayList<>();
      for (RaftMessage message : outbox.messages) {
        if (message instanceof AppendEntries append && append.to().equals(follower)) {
          sent.add(append);
        }
      }
      assertEquals(1, sent.size(), outbox.messages::toString);
      return sent.get(0);
    }

    private Outbox.ChunkRequest asked() {
      assertEquals(1, outbox.chunkRequests.size(), outbox.chunkRequests::toString);
      return outbox.chunkRequests.get(0);
    }

    @Test
    @DisplayName("drops the entries that a snapshot has, but for a tail")
    void compaction() {
      tail = 4;
      leadAfterSnapshot();

      assertEquals(7, outbox.compactedTo);
      assertEquals(7, status().base());
      assertEquals(11, status().snapshot());
      assertEquals(11, status().last());
      assertEquals(new LogPosition(7, 1), log().base());
      assertEquals(entries(8, 1), List.of(log().entry(8)));
      assertThrows(RaftInvariantViolation.class, () -> log().entry(7));
    }

    @Test
    @DisplayName("describes a snapshot by the last entry that is applied")
    void meta() {
      start(1, 1, 1);
      assertThrows(IllegalStateException.class, () -> core.snapshotMeta());
      lead();
      agree(TWO, 3);
      SnapshotMeta meta = core.snapshotMeta();

      assertEquals(new LogPosition(3, 2), meta.last());
      assertEquals(log().entry(3).clusterTimeMs(), meta.clusterTimeMs());
      assertEquals(MEMBERSHIP, meta.membership());
      core.snapshotTaken(meta, now);
      assertSame(meta, core.snapshotMeta(), "to be taken again if its file is lost");
    }

    @Test
    @DisplayName("takes no note of its own snapshot if a newer one came from the leader meanwhile")
    void overtakenSnapshot() {
      start(1, 1, 1, 1);
      append(1, 3, 1, 2, List.of());
      SnapshotMeta own = core.snapshotMeta();
      assertEquals(2, own.index());
      receive(lastPart(1, snapshot(9, 1)));
      received(lastPart(1, snapshot(9, 1)));
      core.snapshotTaken(own, now);
      drain();

      assertEquals(9, status().snapshot());
      assertEquals(9, status().base());
      assertEquals(0, outbox.compactedTo);
    }

    @Test
    @DisplayName("sends a snapshot to a follower that lacks entries which are gone")
    void sendsSnapshot() {
      leadAfterSnapshot();
      tick(HEARTBEAT);
      assertEquals(11, sentTo(THREE).prevLogIndex());
      refuse(THREE, 11, 4);

      Outbox.ChunkRequest request = asked();
      assertEquals(THREE, request.to());
      assertEquals(2, request.term());
      assertEquals(log().snapshot(), request.snapshot());
      assertEquals(0, request.offset());
      assertEquals(11, status().followers().get(1).installing());
    }

    @Test
    @DisplayName("counts what its snapshot has as durable only once its log has it too")
    void slowLog() {
      start(1, 1, 1);
      lead();
      core.propose(new byte[1], now);
      drain();
      long batch = outbox.batch.number();
      agree(TWO, 4);
      agree(THREE, 4);
      assertEquals(4, status().committed());
      assertEquals(3, status().durable());
      takeSnapshot();

      assertEquals(3, status().durable(), "the snapshot may turn out to be damaged");
      assertEquals(3, status().base());
      core.persisted(batch, now);
      assertEquals(4, status().durable());
    }

    /** Commits one more entry without member 3, and takes a snapshot. */
    private void goOn() {
      core.propose(new byte[1], now);
      drain();
      persist();
      agree(TWO, status().last());
      takeSnapshot();
    }

    @Test
    @DisplayName("keeps the entries behind a snapshot that it sends, until they have arrived too")
    void keepsEntriesForCatchingUp() {
      leadAfterSnapshot();
      refuse(THREE, 11, 4);
      goOn();
      goOn();
      assertEquals(13, status().snapshot());
      assertEquals(11, status().base());

      answer(11, 30, true);
      assertEquals(12, sentTo(THREE).entries().get(0).index());
      goOn();
      assertEquals(11, status().base(), "until the follower has what it was sent");
      agree(THREE, 14);
      goOn();
      assertEquals(14, status().base(), "until it has come to where the log would begin");
      agree(THREE, 15);
      core.propose(new byte[1], now);
      goOn();
      assertEquals(17, status().base());
      assertTrue(outbox.chunkRequests.isEmpty());
    }

    @Test
    @DisplayName("keeps no entries for a follower that is not heard")
    void keepsNothingForTheSilent() {
      leadAfterSnapshot();
      refuse(THREE, 11, 4);
      agree(TWO, 11);
      tick(T / 2);
      agree(TWO, 11);
      tick(T / 2);
      goOn();
      assertEquals(12, status().base());
    }

    @Test
    @DisplayName("begins again with the newest snapshot if a follower takes too long for one")
    void keepsEntriesForAWhile() {
      leadAfterSnapshot();
      refuse(THREE, 11, 4);
      for (int i = 0; i < CATCH_UP_SNAPSHOTS; i++) {
        goOn();
        assertEquals(11, status().base());
      }
      goOn();
      assertEquals(16, status().base());
      answer(11, 30, true);
      refuse(THREE, 16, 12);
      assertEquals(16, asked().snapshot().index());
      goOn();
      assertEquals(16, status().base(), "for the new one it has as long again");
    }

    @Test
    @DisplayName("takes leave without entries of a member that lacks some which are gone")
    void leavingMember() {
      leadAfterSnapshot();
      agree(THREE, 11);
      for (int i = 0; i < 4; i++) {
        core.propose(new byte[1], now);
        drain();
      }
      core.changeMembership(MembershipChange.remove(THREE), now);
      drain();
      persist();
      agree(TWO, 16);
      persist();
      assertEquals(17, status().last());
      core.snapshotTaken(core.snapshotMeta(), now);
      core.receive(new AppendEntriesReply(TWO, SELF, 2, true, 17, 0, 0, 0, lastRound), now);
      drain();

      assertEquals(17, status().committed());
      assertEquals(1, status().followers().size());
      assertTrue(core.isLeader());
    }

    @Test
    @DisplayName("tries the first entry that is left before it sends a snapshot")
    void probesAtBase() {
      leadAfterSnapshot();
      core.disconnected(THREE, now);
      drain();
      tick(HEARTBEAT);

      assertTrue(outbox.chunkRequests.isEmpty());
      assertEquals(11, sentTo(THREE).prevLogIndex());
      agree(THREE, 11);
      core.propose(new byte[1], now);
      drain();
      assertEquals(12, sentTo(THREE).entries().get(0).index());
    }

    @Test
    @DisplayName("goes on where the follower says, part by part, and then with entries")
    void partByPart() {
      leadAfterSnapshot();
      refuse(THREE, 11, 4);
      answer(11, 10, false);
      assertEquals(10, asked().offset());
      answer(11, 20, false);
      assertEquals(20, asked().offset());
      answer(11, 0, false);
      assertEquals(0, asked().offset());
      core.propose(new byte[1], now);
      drain();
      assertTrue(outbox.chunkRequests.isEmpty(), "two parts on their way");
      answer(11, 30, true);

      assertTrue(outbox.chunkRequests.isEmpty());
      assertEquals(12, sentTo(THREE).entries().get(0).index());
      assertEquals(11, status().followers().get(1).match());
      assertEquals(0, status().followers().get(1).installing());
    }

    @Test
    @DisplayName("does not send more if an answer comes twice")
    void repeatedAnswer() {
      leadAfterSnapshot();
      refuse(THREE, 11, 4);
      answer(11, 10, false);
      assertEquals(10, asked().offset());
      answer(11, 10, false);
      assertTrue(outbox.chunkRequests.isEmpty());
      answer(5, 20, false);
      assertTrue(outbox.chunkRequests.isEmpty(), "an answer for another snapshot");
    }

    @Test
    @DisplayName("sends a part again after a while, but only to a follower that is heard")
    void resends() {
      leadAfterSnapshot();
      refuse(THREE, 11, 4);
      int asked = 0;
      for (long waitedMs = 0; waitedMs < 3 * T; waitedMs += HEARTBEAT) {
        agree(TWO, 11);
        tick(HEARTBEAT);
        asked += outbox.chunkRequests.size();
      }
      assertEquals(2, asked, "before it was silent for an election timeout");

      agree(THREE, 0);
      tick(HEARTBEAT);
      assertEquals(0, asked().offset());
    }

    @Test
    @DisplayName("waits twice as long after each repetition of a part, until there is progress")
    void resendsMoreAndMoreSeldom() {
      leadAfterSnapshot();
      refuse(THREE, 11, 4);
      assertEquals(List.of(300L, 900L, 2_100L, 4_500L), repetitions(5_000));

      answer(11, 16, false);
      assertEquals(16, asked().offset());
      assertEquals(List.of(300L, 900L), repetitions(1_500));

      core.disconnected(THREE, now);
      assertEquals(List.of(100L), repetitions(500), "it may be back at once");
    }

    /** After how long a part was asked for again, while the follower answers heartbeats only. */
    private List<Long> repetitions(long withinMs) {
      List<Long> repetitions = new ArrayList<>();
      for (long waitedMs = HEARTBEAT; waitedMs <= withinMs; waitedMs += HEARTBEAT) {
        agree(TWO, 11);
        agree(THREE, 0);
        tick(HEARTBEAT);
        if (!outbox.chunkRequests.isEmpty()) {
          repetitions.add(waitedMs);
        }
      }
      return repetitions;
    }

    @Test
    @DisplayName("goes on with heartbeats that nobody refuses, and counts their answers")
    void heartbeats() {
      leadAfterSnapshot();
      refuse(THREE, 11, 4);
      core.read(1, now);
      drain();
      AppendEntries heartbeat = sentTo(THREE);
      assertEquals(0, heartbeat.prevLogIndex());
      assertEquals(0, heartbeat.prevLogTerm());
      assertTrue(heartbeat.entries().isEmpty());
      lastRound = heartbeat.round();
      agree(THREE, 0);

      assertEquals(List.of(new Outbox.SafeRead(1, 11)), outbox.safeReads);
      assertTrue(outbox.messages.isEmpty(), "no entries while the snapshot is on its way");
      assertEquals(11, status().followers().get(1).installing());
    }

    @Test
    @DisplayName("keeps its majority while it sends a snapshot to it")
    void checkQuorum() {
      leadAfterSnapshot();
      refuse(THREE, 11, 4);
      for (int i = 0; i < 50; i++) {
        tick(HEARTBEAT);
        answer(11, i % 2, false);
      }
      assertTrue(core.isLeader());
    }

    @Test
    @DisplayName("stops the snapshot if the follower turns out to have the entries")
    void hasTheEntries() {
      leadAfterSnapshot();
      refuse(THREE, 11, 4);
      agree(THREE, 11);
      assertEquals(0, status().followers().get(1).installing());
      answer(11, 10, false);
      assertTrue(outbox.chunkRequests.isEmpty());
    }

    @Test
    @DisplayName("sends the newest snapshot if the one it was sending is gone")
    void gone() {
      leadAfterSnapshot();
      refuse(THREE, 11, 4);
      Outbox.ChunkRequest request = asked();
      core.snapshotGone(request, now);
      drain();
      assertTrue(outbox.chunkRequests.isEmpty(), "the newer one is not known yet");

      core.propose(new byte[1], now);
      drain();
      persist();
      agree(TWO, 12);
      takeSnapshot();
      core.snapshotGone(request, now);
      drain();
      assertEquals(12, asked().snapshot().index());
      core.snapshotGone(request, now);
      drain();
      assertTrue(outbox.chunkRequests.isEmpty(), "that one is not sent any more");
    }

    @Test
    @DisplayName("sends another snapshot if the log moved on while one was installed")
    void outrun() {
      leadAfterSnapshot();
      refuse(THREE, 11, 4);
      for (int i = 0; i <= CATCH_UP_SNAPSHOTS; i++) {
        goOn();
      }
      answer(11, 30, true);

      assertTrue(outbox.chunkRequests.isEmpty());
      tick(HEARTBEAT);
      assertEquals(16, sentTo(THREE).prevLogIndex());
      refuse(THREE, 16, 12);
      assertEquals(16, asked().snapshot().index());
    }

    @Test
    @DisplayName("needs no snapshot itself that was on its way before its election")
    void leaderNeedsNone() {
      start(1, 1, 1, 1, 1, 1);
      receive(lastPart(1, snapshot(4, 1)));
      lead();
      received(lastPart(1, snapshot(4, 1)));

      assertNull(outbox.installed);
      assertEquals(0, status().committed());
      assertEquals(6, status().last());
      assertTrue(core.isLeader());
    }

    @Test
    @DisplayName("steps down before a newer term, and ignores answers to what it never sent")
    void answersOfOthers() {
      leadAfterSnapshot();
      refuse(THREE, 11, 4);
      answer(12, 30, true);
      assertEquals(0, status().followers().get(1).match());
      receive(new InstallSnapshotReply(THREE, SELF, 2, 11, 30, true, 99));
      assertEquals(0, status().followers().get(1).match());
      receive(new InstallSnapshotReply(THREE, SELF, 1, 11, 30, true, 0));
      assertEquals(0, status().followers().get(1).match());
      receive(new InstallSnapshotReply(THREE, SELF, 2, 11, -1, false, 0));
      assertTrue(outbox.chunkRequests.isEmpty());
      receive(new InstallSnapshotReply(THREE, SELF, 3, 11, 0, false, 0));
      assertFalse(core.isLeader());
    }
  }

  @Nested
  @DisplayName("A member that starts")
  class Restart {

    @Test
    @DisplayName("begins at its snapshot and keeps the log after it")
    void keepsLog() {
      start(restored(3, snapshot(5, 2), new LogPosition(2, 1), 1, 2, 2, 3));

      assertNull(outbox.batch);
      assertEquals(5, status().committed());
      assertEquals(5, status().applied());
      assertEquals(6, status().last());
      assertEquals(5, status().base());
      assertEquals(5, outbox.compactedTo);
      assertTrue(outbox.committedEntries.isEmpty());
    }

    @Test
    @DisplayName("lets its snapshot replace a log that does not reach it")
    void snapshotAhead() {
      start(restored(3, snapshot(9, 3), LogPosition.START, 1, 1));

      assertEquals(new LogPosition(9, 3), outbox.batch.base());
      assertEquals(9, status().last());
      assertEquals(0, status().durable());
      persist();
      assertEquals(9, status().durable());
    }

    @Test
    @DisplayName("lets its snapshot replace a log of another history")
    void snapshotOfAnotherHistory() {
      start(restored(3, snapshot(3, 3), LogPosition.START, 1, 1, 1, 1, 1));

      assertEquals(new LogPosition(3, 3), outbox.batch.base());
      assertEquals(3, status().last());
    }

    @Test
    @DisplayName("knows the term of its snapshot, which may be durable before the term itself")
    void termOfSnapshot() {
      start(restored(1, snapshot(9, 3), LogPosition.START, 1, 1));

      assertEquals(3, status().term());
      assertEquals(new HardState(3, NodeId.NONE), outbox.batch.hardState());
    }

    @Test
    @DisplayName("refuses a log whose beginning no snapshot has")
    void noSnapshot() {
      RestoredState lost = restored(3, null, new LogPosition(5, 2), 3);
      assertThrows(RaftInvariantViolation.class, () -> start(lost));
      RestoredState older = restored(3, snapshot(4, 2), new LogPosition(5, 2), 3);
      assertThrows(RaftInvariantViolation.class, () -> start(older));
    }

    @Test
    @DisplayName("goes by the configuration of its snapshot, and by later ones in its log")
    void configuration() {
      Membership four = new Membership(List.of(SELF, TWO, THREE, new NodeId(4)));
      Membership five = new Membership(List.of(SELF, TWO, THREE, new NodeId(4), new NodeId(5)));
      SnapshotMeta snapshot = new SnapshotMeta(new LogPosition(2, 1), 0, four, 2);
      Entry later = Entry.configuration(3, 1, 0, five);
      HardState hardState = new HardState(1, NodeId.NONE);
      LogPosition base = new LogPosition(2, 1);
      start(new RestoredState(MEMBERSHIP, hardState, snapshot, base, List.of(), 0));
      assertEquals(four, core.member().membership());
      start(new RestoredState(MEMBERSHIP, hardState, snapshot, base, List.of(later), 0));
      assertEquals(five, core.member().membership());
    }
  }
}

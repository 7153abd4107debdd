// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.raft.RaftMessage.AppendEntries;
import dev.coordinator.server.raft.RaftMessage.AppendEntriesReply;
import dev.coordinator.server.raft.RaftMessage.RequestVote;
import dev.coordinator.server.raft.RaftMessage.RequestVoteReply;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * The rules of Ongaro's dissertation, one test each. Every test prepares one member, gives it an
 * input, and looks at what it wants done.
 */
class RaftPaperTest {

  private static final NodeId SELF = new NodeId(1);
  private static final NodeId TWO = new NodeId(2);
  private static final NodeId THREE = new NodeId(3);
  private static final long T = 1_000;
  private static final RaftConfig CONFIG =
      new RaftConfig(T, 100, 20, 1 << 20, 64, 4).withMaxPromoteLag(10);

  private final Outbox outbox = new Outbox();
  private RaftCore core;
  private long now;

  /** Starts member 1 of {@code size} with a log of entries of these terms. */
  private void start(int size, HardState hardState, long... terms) {
    List<NodeId> voters = LongStream.rangeClosed(1, size).mapToObj(NodeId::new).toList();
    List<Entry> log = new ArrayList<>(entries(1, terms));
    core =
        new RaftCore(
            CONFIG,
            SELF,
            RestoredState.ofLog(new Membership(voters), hardState, log),
            new Random(1),
            RaftTrace.NONE,
            now);
    drain();
  }

  private void start(int size, long term, long... terms) {
    start(size, new HardState(term, NodeId.NONE), terms);
  }

  private static List<Entry> entries(long first, long... terms) {
    List<Entry> result = new ArrayList<>();
    for (long term : terms) {
      result.add(Entry.command(first++, term, 0, new byte[] {(byte) term}));
    }
    return result;
  }

  private void drain() {
    core.drainTo(outbox);
  }

  private void receive(RaftMessage message) {
    core.receive(message, now);
    drain();
  }

  private void tick(long durationMs) {
    now += durationMs;
    core.tick(now);
    drain();
  }

  private void persist() {
    core.persisted(outbox.batch.number(), now);
    drain();
  }

  /** Runs out the election timeout and gets the pre-votes of members 2 and 3. */
  private void campaign() {
    tick(2 * T);
    preVotes();
  }

  private void preVotes() {
    long term = core.status().term();
    core.receive(new RequestVoteReply(TWO, SELF, term, true, true, term + 1), now);
    core.receive(new RequestVoteReply(THREE, SELF, term, true, true, term + 1), now);
    drain();
  }

  /** Becomes leader with the votes of members 2 and 3; its no-op is not durable yet. */
  private void lead() {
    campaign();
    core.persisted(outbox.batch.number(), now);
    core.receive(vote(TWO, true), now);
    receive(vote(THREE, true));
    assertTrue(core.isLeader());
  }

  private RequestVoteReply vote(NodeId from, boolean granted) {
    long term = core.status().term();
    return new RequestVoteReply(from, SELF, term, false, granted, term);
  }

  private AppendEntries append(NodeId from, long term, long prev, long prevTerm, long... terms) {
    return new AppendEntries(from, SELF, term, prev, prevTerm, entries(prev + 1, terms), 0, 0, 0);
  }

  private AppendEntries commit(long term, long prev, long prevTerm, long leaderCommit) {
    return new AppendEntries(TWO, SELF, term, prev, prevTerm, List.of(), leaderCommit, 0, 0);
  }

  private AppendEntriesReply agree(NodeId from, long match) {
    return agree(from, match, 0);
  }

  private AppendEntriesReply agree(NodeId from, long match, long round) {
    return new AppendEntriesReply(from, SELF, core.status().term(), true, match, 0, 0, 0, round);
  }

  private RequestVote request(NodeId from, long term, long lastIndex, long lastTerm) {
    return new RequestVote(from, SELF, term, false, lastIndex, lastTerm);
  }

  private RequestVote preVote(NodeId from, long term, long lastIndex, long lastTerm) {
    return new RequestVote(from, SELF, term, true, lastIndex, lastTerm);
  }

  private List<RaftMessage> sent() {
    List<RaftMessage> all = new ArrayList<>(outbox.messages);
    all.addAll(outbox.messagesAfterPersist);
    return all;
  }

  private <M extends RaftMessage> M only(Class<M> kind) {
    List<M> found = sent().stream().filter(kind::isInstance).map(kind::cast).toList();
    assertEquals(1, found.size(), () -> "one " + kind.getSimpleName() + " in " + sent());
    return found.get(0);
  }

  private AppendEntries sentTo(NodeId follower) {
    List<AppendEntries> found =
        outbox.messages.stream()
            .filter(AppendEntries.class::isInstance)
            .map(AppendEntries.class::cast)
            .filter(message -> message.to().equals(follower))
            .toList();
    assertEquals(1, found.size(), () -> "one AppendEntries to " + follower + " in " + sent());
    return found.get(0);
  }

  private List<Long> termsOfLog() {
    RaftLog log = core.member().log;
    return LongStream.rangeClosed(1, log.last()).map(log::termAt).boxed().toList();
  }

  @Nested
  @DisplayName("§3.3 Raft basics")
  class Terms {

    @Test
    @DisplayName("§3.3: a newer term is adopted, and a leader or candidate then follows")
    void newerTermIsAdopted() {
      start(3, 1);
      lead();
      receive(new AppendEntriesReply(TWO, SELF, 9, false, 0, 0, 0, 1, 0));
      assertEquals(RoleKind.FOLLOWER, core.status().role());
      assertEquals(new HardState(9, NodeId.NONE), outbox.batch.hardState());
    }

    @Test
    @DisplayName("§3.3: a request of an older term is refused with the newer one")
    void olderTermIsRefused() {
      start(3, 5);
      receive(append(TWO, 4, 0, 0, 4));
      assertFalse(only(AppendEntriesReply.class).success());
      assertEquals(5, only(AppendEntriesReply.class).term());
      receive(request(TWO, 4, 9, 3));
      assertFalse(only(RequestVoteReply.class).granted());
      assertEquals(5, only(RequestVoteReply.class).term());
      assertEquals(0, core.status().last());
    }

    @Test
    @DisplayName("§3.3: an answer to a request of an older term changes nothing")
    void olderAnswerIsIgnored() {
      start(3, 1);
      lead();
      receive(new AppendEntriesReply(TWO, SELF, 1, true, 1, 0, 0, 0, 0));
      assertEquals(0, core.status().followers().get(0).match());
      receive(new RequestVoteReply(TWO, SELF, 1, false, false, 1));
      assertTrue(core.isLeader());
    }
  }

  @Nested
  @DisplayName("§3.4 Leader election")
  class Election {

    @Test
    @DisplayName("§3.4: a member starts as a follower and stays one while it hears a leader")
    void followerStays() {
      start(3, 1);
      for (int i = 0; i < 50; i++) {
        tick(T - 1);
        receive(append(TWO, 1, 0, 0));
        assertEquals(RoleKind.FOLLOWER, core.status().role());
      }
      assertEquals(TWO, core.status().leader());
    }

    @Test
    @DisplayName("§3.4: timeouts are drawn from one to two election timeouts")
    void timeoutsAreRandom() {
      long least = Long.MAX_VALUE;
      long most = 0;
      start(3, 1);
      for (int i = 0; i < 300; i++) {
        receive(append(TWO, 1, 0, 0));
        long timeout = outbox.nextWakeupMs - now;
        least = Math.min(least, timeout);
        most = Math.max(most, timeout);
      }
      assertTrue(least >= T && least < 1.1 * T, "shortest " + least);
      assertTrue(most < 2 * T && most > 1.9 * T, "longest " + most);
    }

    @Test
    @DisplayName("§3.4: a candidate begins a term, votes for itself and asks all others")
    void candidateCampaigns() {
      start(3, 4, 3);
      campaign();
      assertEquals(new HardState(5, SELF), outbox.batch.hardState());
      assertEquals(
          List.of(
              new RequestVote(SELF, TWO, 5, false, 1, 3),
              new RequestVote(SELF, THREE, 5, false, 1, 3)),
          outbox.messagesAfterPersist);
      assertTrue(outbox.messages.isEmpty(), "nothing leaves before the vote is durable");
    }

    @Test
    @DisplayName("§3.4: a majority elects; the vote for oneself counts once it is durable")
    void majorityElects() {
      start(3, 1);
      campaign();
      receive(vote(TWO, true));
      assertEquals(RoleKind.CANDIDATE, core.status().role());
      core.persisted(1, now);
      assertEquals(RoleKind.LEADER, core.status().role());
    }

    @Test
    @DisplayName("§3.4: a vote that arrives twice counts once")
    void duplicateVoteCountsOnce() {
      start(5, 1);
      campaign();
      persist();
      receive(vote(TWO, true));
      receive(vote(TWO, true));
      assertEquals(RoleKind.CANDIDATE, core.status().role());
      receive(vote(THREE, true));
      assertEquals(RoleKind.LEADER, core.status().role());
    }

    @Test
    @DisplayName("§3.4: at most one vote in a term, first come, first served")
    void oneVotePerTerm() {
      start(3, 1);
      receive(request(TWO, 2, 0, 0));
      assertTrue(only(RequestVoteReply.class).granted());
      receive(request(THREE, 2, 0, 0));
      assertFalse(only(RequestVoteReply.class).granted());
      receive(request(TWO, 2, 0, 0));
      assertTrue(only(RequestVoteReply.class).granted(), "a repeated request is granted again");
    }

    @Test
    @DisplayName("§3.8: the vote survives a restart")
    void voteSurvivesRestart() {
      start(3, new HardState(2, THREE));
      receive(request(TWO, 2, 0, 0));
      assertFalse(only(RequestVoteReply.class).granted());
      receive(request(THREE, 2, 0, 0));
      assertTrue(only(RequestVoteReply.class).granted());
    }

    @Test
    @DisplayName("§3.8: a vote is durable before it is told")
    void voteWaitsForDisk() {
      start(3, 1);
      receive(request(TWO, 2, 0, 0));
      assertEquals(new HardState(2, TWO), outbox.batch.hardState());
      assertTrue(outbox.messages.isEmpty());
      assertEquals(1, outbox.messagesAfterPersist.size());
    }

    @Test
    @DisplayName("§3.4: a candidate follows a leader of its term, and not one of an older term")
    void candidateFollowsLeader() {
      start(3, 1);
      campaign();
      receive(append(TWO, 1, 0, 0));
      assertEquals(RoleKind.CANDIDATE, core.status().role());
      receive(append(TWO, 2, 0, 0));
      assertEquals(RoleKind.FOLLOWER, core.status().role());
      assertEquals(TWO, core.status().leader());
    }

    @Test
    @DisplayName("§3.4: after a split vote a candidate tries again in a newer term")
    void splitVote() {
      start(3, 1);
      campaign();
      persist();
      tick(2 * T);
      assertEquals(RoleKind.PRE_CANDIDATE, core.status().role());
      preVotes();
      assertEquals(3, core.status().term());
      assertEquals(RoleKind.CANDIDATE, core.status().role());
    }

    @Test
    @DisplayName("§3.4: giving a vote postpones the own election")
    void votePostponesElection() {
      start(3, 1);
      tick(T - 1);
      receive(request(TWO, 2, 0, 0));
      assertTrue(outbox.nextWakeupMs >= now + T);
    }

    @Test
    @DisplayName("§3.4: a new leader announces itself at once")
    void leaderAnnouncesItself() {
      start(3, 1);
      lead();
      assertEquals(2, sentTo(TWO).term());
      assertEquals(2, sentTo(THREE).term());
    }

    @Test
    @DisplayName("§3.4: a leader is heard once in a heartbeat interval")
    void heartbeats() {
      start(3, 1);
      lead();
      tick(CONFIG.heartbeatIntervalMs());
      assertEquals(List.of(), sentTo(TWO).entries());
      assertEquals(List.of(), sentTo(THREE).entries());
    }
  }

  @Nested
  @DisplayName("§3.5 Log replication")
  class Replication {

    @Test
    @DisplayName("§3.5: a leader appends a command and sends it to all, before its own disk has it")
    void leaderReplicates() {
      start(3, 1);
      lead();
      core.receive(agree(TWO, 1), now);
      receive(agree(THREE, 1));
      assertEquals(2, core.propose(new byte[] {7}, now));
      core.propose(new byte[] {8}, now);
      drain();
      assertEquals(2, sentTo(TWO).entries().size());
      assertEquals(1, sentTo(TWO).prevLogIndex());
      assertEquals(2, sentTo(THREE).entries().size());
      assertEquals(sentTo(TWO).entries(), outbox.batch.entries());
    }

    @Test
    @DisplayName("§3.5: an entry is committed when a majority holds it durably")
    void majorityCommits() {
      start(5, 1);
      lead();
      receive(agree(TWO, 1));
      assertEquals(0, core.status().committed());
      receive(agree(THREE, 1));
      assertEquals(0, core.status().committed(), "its own disk does not hold it yet");
      core.persisted(2, now);
      drain();
      assertEquals(1, core.status().committed());
      assertEquals(1, outbox.committedEntries.size());
      drain();
      assertEquals(List.of(), outbox.committedEntries, "handed out once");
    }

    @Test
    @DisplayName("§10.2.1: the others commit without the leader's slow disk")
    void othersCommitWithoutLeader() {
      start(3, 1);
      lead();
      core.receive(agree(TWO, 1), now);
      receive(agree(THREE, 1));
      assertEquals(1, core.status().committed());
      assertEquals(0, core.status().durable());
    }

    @Test
    @DisplayName("§3.5: a follower learns the commit index, up to what it has verified")
    void followerCommits() {
      start(3, 1, 1, 1, 1);
      receive(commit(1, 2, 1, 3));
      assertEquals(2, core.status().committed(), "entry 3 may be another leader's");
      receive(commit(1, 3, 1, 3));
      assertEquals(3, core.status().committed());
      receive(commit(1, 2, 1, 1));
      assertEquals(3, core.status().committed(), "never back");
    }

    @Test
    @DisplayName("§3.5: a follower refuses entries after a gap and says where its log ends")
    void gapIsRefused() {
      start(3, 1, 1);
      receive(append(TWO, 1, 5, 1, 1));
      AppendEntriesReply reply = only(AppendEntriesReply.class);
      assertFalse(reply.success());
      assertEquals(5, reply.rejectedIndex());
      assertEquals(0, reply.conflictTerm());
      assertEquals(2, reply.conflictIndex());
    }

    @Test
    @DisplayName("§3.5: a follower refuses entries after one of another term, and names that term")
    void conflictIsRefused() {
      start(3, 4, 1, 2, 2, 2);
      receive(append(TWO, 4, 4, 3, 4));
      AppendEntriesReply reply = only(AppendEntriesReply.class);
      assertFalse(reply.success());
      assertEquals(2, reply.conflictTerm());
      assertEquals(2, reply.conflictIndex());
      assertEquals(List.of(1L, 2L, 2L, 2L), termsOfLog(), "nothing is dropped yet");
    }

    @Test
    @DisplayName("§3.5: conflicting entries and all after them give way to the leader's")
    void conflictIsReplaced() {
      start(3, 4, 1, 2, 2, 2);
      receive(append(TWO, 4, 1, 1, 3, 4));
      assertEquals(List.of(1L, 3L, 4L), termsOfLog());
      assertEquals(2, outbox.batch.entries().get(0).index());
      assertEquals(1, core.status().durable());
      assertTrue(outbox.messages.isEmpty(), "the answer waits for the disk");
      assertEquals(3, only(AppendEntriesReply.class).matchIndex());
    }

    @Test
    @DisplayName("§3.5: old entries that arrive again do not cut the log")
    void lateEntriesDoNotCut() {
      start(3, 1, 1, 1, 1);
      receive(append(TWO, 1, 0, 0, 1));
      assertEquals(3, core.status().last());
      assertEquals(1, only(AppendEntriesReply.class).matchIndex());
      assertNull(outbox.batch);
    }

    @Test
    @DisplayName("§3.5: a leader skips all entries of a term that it does not have")
    void backOffByUnknownTerm() {
      start(3, 6, 1, 1, 1, 5, 5, 6);
      lead();
      receive(new AppendEntriesReply(TWO, SELF, 7, false, 0, 6, 4, 3, 0));
      assertEquals(2, sentTo(TWO).prevLogIndex());
    }

    @Test
    @DisplayName("§3.5: a leader goes on behind its last entry of the conflicting term")
    void backOffByKnownTerm() {
      start(3, 6, 1, 1, 1, 4, 5, 6);
      lead();
      receive(new AppendEntriesReply(TWO, SELF, 7, false, 0, 6, 4, 2, 0));
      assertEquals(4, sentTo(TWO).prevLogIndex());
    }

    @Test
    @DisplayName("§3.5: a late refusal does not move the leader back")
    void lateRefusal() {
      start(3, 1, 1, 1);
      lead();
      receive(agree(TWO, 3));
      receive(new AppendEntriesReply(TWO, SELF, 2, false, 0, 2, 0, 1, 0));
      assertEquals(List.of(), outbox.messages);
      assertEquals(3, core.status().followers().get(0).match());
    }

    @Test
    @DisplayName("§3.8: a restarted member knows its log, and commits nothing by itself")
    void restart() {
      start(3, 2, 1, 2);
      assertEquals(2, core.status().last());
      assertEquals(2, core.status().durable());
      assertEquals(0, core.status().committed());
    }
  }

  @Nested
  @DisplayName("§3.6 Safety")
  class Safety {

    @Test
    @DisplayName("§3.6.1: a vote is refused to a log that ends in an older term, however long")
    void olderLastTerm() {
      start(3, 3, 1, 3);
      receive(request(TWO, 4, 9, 2));
      assertFalse(only(RequestVoteReply.class).granted());
      assertEquals(4, core.status().term(), "the newer term is adopted all the same");
    }

    @Test
    @DisplayName("§3.6.1: with equal last terms, a vote is refused to a shorter log")
    void shorterLog() {
      start(3, 3, 1, 3);
      receive(request(TWO, 4, 1, 3));
      assertFalse(only(RequestVoteReply.class).granted());
      receive(request(THREE, 4, 2, 3));
      assertTrue(only(RequestVoteReply.class).granted());
    }

    @Test
    @DisplayName("§3.6.2, Figure 3.7: an entry of an older term is not committed by counting")
    void olderTermIsNotCounted() {
      start(3, 2, 1, 2);
      lead();
      core.receive(agree(TWO, 2), now);
      receive(agree(THREE, 2));
      assertEquals(0, core.status().committed());
      receive(agree(TWO, 3));
      receive(agree(THREE, 3));
      assertEquals(3, core.status().committed(), "together with the leader's own");
    }

    @Test
    @DisplayName("§6.4: a leader begins its term with a no-op")
    void noOp() {
      start(3, 2, 1, 2);
      lead();
      assertEquals(Entry.noOp(3, 3, 0), core.member().log.entry(3));
    }

    @Test
    @DisplayName("Figure 3.2: what is committed is never replaced; the member stops instead")
    void committedIsFinal() {
      start(3, 1, 1, 1);
      receive(commit(1, 2, 1, 2));
      org.junit.jupiter.api.Assertions.assertThrows(
          RaftInvariantViolation.class, () -> receive(append(THREE, 3, 1, 1, 3)));
    }
  }

  @Nested
  @DisplayName("§4.2.3 and §9.6: disruptive members")
  class PreVote {

    @Test
    @DisplayName("§9.6: a pre-vote changes neither term nor vote of anybody")
    void preVoteChangesNothing() {
      start(3, 1);
      tick(2 * T);
      assertEquals(RoleKind.PRE_CANDIDATE, core.status().role());
      assertEquals(1, core.status().term());
      assertNull(outbox.batch);
      receive(preVote(TWO, 2, 0, 0));
      assertTrue(only(RequestVoteReply.class).granted());
      assertNull(outbox.batch);
      receive(preVote(THREE, 2, 0, 0));
      assertTrue(only(RequestVoteReply.class).granted(), "it may be granted to several");
      assertEquals(1, core.status().term());
    }

    @Test
    @DisplayName("§9.6: without a majority of pre-votes no term begins")
    void refusedPreVote() {
      start(3, 1);
      tick(2 * T);
      receive(new RequestVoteReply(TWO, SELF, 1, true, false, 2));
      receive(new RequestVoteReply(THREE, SELF, 1, true, false, 2));
      assertEquals(RoleKind.FOLLOWER, core.status().role());
      assertEquals(1, core.status().term());
    }

    @Test
    @DisplayName("§9.6: a pre-vote is refused to a log that is behind")
    void preVoteChecksLog() {
      start(3, 1, 1);
      receive(preVote(TWO, 2, 0, 0));
      assertFalse(only(RequestVoteReply.class).granted());
    }

    @Test
    @DisplayName("§9.6: a refusal in a newer term teaches the term")
    void refusalTeachesTerm() {
      start(3, 1, 1);
      tick(2 * T);
      receive(new RequestVoteReply(TWO, SELF, 8, true, false, 2));
      assertEquals(8, core.status().term());
    }

    @Test
    @DisplayName("§4.2.3: who hears a leader ignores votes of newer terms and refuses pre-votes")
    void stickiness() {
      start(3, 1);
      receive(append(TWO, 1, 0, 0));
      now += T - 1;
      receive(request(THREE, 9, 5, 1));
      assertEquals(1, core.status().term());
      assertEquals(List.of(), sent());
      receive(preVote(THREE, 2, 5, 1));
      assertFalse(only(RequestVoteReply.class).granted());
      now += 1;
      receive(request(THREE, 9, 5, 1));
      assertTrue(only(RequestVoteReply.class).granted(), "after an election timeout it votes");
    }

    @Test
    @DisplayName("§4.2.3: a leader that hears its majority ignores votes too")
    void stickyLeader() {
      start(3, 1);
      lead();
      receive(agree(TWO, 1));
      receive(request(THREE, 9, 5, 1));
      assertTrue(core.isLeader());
      assertEquals(2, core.status().term());
    }

    @Test
    @DisplayName("A broken connection to the leader leads to a pre-vote within the jitter")
    void disconnectedLeader() {
      start(3, 1);
      receive(append(TWO, 1, 0, 0));
      core.disconnected(THREE, now);
      drain();
      assertTrue(outbox.nextWakeupMs >= now + T, "another peer does not matter");
      core.disconnected(TWO, now);
      drain();
      assertTrue(outbox.nextWakeupMs <= now + CONFIG.disconnectJitterMs());
      receive(preVote(THREE, 2, 0, 0));
      assertTrue(only(RequestVoteReply.class).granted(), "the leader counts as lost");
      tick(CONFIG.disconnectJitterMs());
      assertEquals(RoleKind.PRE_CANDIDATE, core.status().role());
    }

    @Test
    @DisplayName("A leader that is heard again after its connection broke is followed")
    void leaderHeardAgain() {
      start(3, 1);
      receive(append(TWO, 1, 0, 0));
      core.disconnected(TWO, now);
      receive(append(TWO, 1, 0, 0));
      assertEquals(TWO, core.status().leader());
      assertTrue(outbox.nextWakeupMs >= now + T);
    }
  }

  @Nested
  @DisplayName("§6.2 and §6.4: clients")
  class Clients {

    @Test
    @DisplayName("§6.2: a leader that hears no majority for an election timeout steps down")
    void checkQuorum() {
      start(5, 1);
      lead();
      for (int i = 0; i < 5; i++) {
        tick(T / 2);
        core.receive(agree(TWO, 1), now);
        receive(agree(THREE, 1));
        assertTrue(core.isLeader());
      }
      tick(T / 2);
      receive(agree(TWO, 1));
      tick(T / 2);
      assertFalse(core.isLeader());
      assertEquals(2, core.status().term());
    }

    @Test
    @DisplayName("§6.4: no read is safe before an entry of the own term is committed")
    void readWaitsForNoOp() {
      start(3, 2, 2);
      lead();
      core.read(7, now);
      drain();
      receive(agree(TWO, 1, 0));
      assertEquals(List.of(), outbox.safeReads);
      receive(agree(TWO, 2, 0));
      receive(agree(THREE, 2, 0));
      assertEquals(List.of(), outbox.safeReads, "committed, but leadership is not confirmed");
      receive(agree(TWO, 2, 1));
      assertEquals(List.of(new Outbox.SafeRead(7, 2)), outbox.safeReads);
    }

    @Test
    @DisplayName("§6.4: a round that began before a read does not confirm it")
    void laterReadNeedsLaterRound() {
      start(3, 1);
      lead();
      core.receive(agree(TWO, 1), now);
      receive(agree(THREE, 1));
      core.read(1, now);
      core.read(2, now);
      drain();
      assertEquals(1, sentTo(TWO).round());
      core.read(3, now);
      drain();
      assertEquals(2, sentTo(TWO).round());
      receive(agree(TWO, 1, 1));
      assertEquals(List.of(new Outbox.SafeRead(1, 1), new Outbox.SafeRead(2, 1)), outbox.safeReads);
      receive(agree(THREE, 1, 1));
      assertEquals(List.of(), outbox.safeReads);
      receive(agree(THREE, 1, 2));
      assertEquals(List.of(new Outbox.SafeRead(3, 1)), outbox.safeReads);
    }

    @Test
    @DisplayName("§6.4: reads fail when leadership is lost")
    void readsFail() {
      start(3, 1);
      lead();
      core.read(4, now);
      receive(append(TWO, 5, 0, 0));
      assertEquals(List.of(4L), outbox.failedReads);
    }

    @Test
    @DisplayName("A heartbeat is answered at once while the disk still writes")
    void heartbeatDoesNotWait() {
      start(3, 1);
      receive(append(TWO, 1, 0, 0, 1, 1));
      assertEquals(1, outbox.messagesAfterPersist.size());
      receive(append(TWO, 1, 2, 1));
      AppendEntriesReply reply = (AppendEntriesReply) outbox.messages.get(0);
      assertTrue(reply.success());
      assertEquals(0, reply.matchIndex(), "but confirms only what is durable");
    }
  }

  @Nested
  @DisplayName("Messages that nobody can have sent")
  class Nonsense {

    @Test
    @DisplayName("are ignored and change nothing")
    void ignored() {
      start(3, 3, 1, 3);
      RaftStatus before = core.status();
      NodeId stranger = new NodeId(9);
      List<RaftMessage> nonsense =
          List.of(
              request(stranger, 9, 2, 3),
              request(SELF, 9, 2, 3),
              new RequestVote(TWO, THREE, 9, false, 2, 3),
              request(TWO, Long.MAX_VALUE, 2, 3),
              request(TWO, -1, 2, 3),
              request(TWO, 9, -2, 3),
              request(TWO, 9, 2, 9),
              request(TWO, 9, 0, 3),
              append(stranger, 9, 2, 3),
              append(TWO, 9, -1, 0),
              append(TWO, 9, 2, 10),
              append(TWO, 9, 2, 3, 2),
              append(TWO, 9, 2, 3, 10),
              append(TWO, 9, 2, 3, 5, 4),
              append(TWO, 9, Long.MAX_VALUE, 3),
              new AppendEntries(TWO, SELF, 9, 2, 3, entries(4, 9), 0, 0, 0),
              new AppendEntries(TWO, SELF, 9, 2, 3, List.of(), -1, 0, 0),
              new AppendEntries(TWO, SELF, 9, 2, 3, List.of(), 0, -1, 0),
              new AppendEntriesReply(TWO, SELF, 9, true, -1, 0, 0, 0, 0),
              new AppendEntriesReply(stranger, SELF, 9, true, 1, 0, 0, 0, 0),
              new RequestVoteReply(TWO, SELF, 9, false, true, -1),
              new RequestVoteReply(TWO, SELF, Long.MAX_VALUE, false, false, 9));
      for (RaftMessage message : nonsense) {
        receive(message);
        assertEquals(before, core.status(), message::toString);
        assertEquals(List.of(), sent(), message::toString);
      }
    }

    @Test
    @DisplayName("do not move a leader: entries never sent, rounds never begun, a second leader")
    void ignoredByLeader() {
      start(3, 1);
      lead();
      core.read(1, now);
      receive(agree(TWO, 99));
      receive(agree(TWO, 1, 99));
      receive(append(THREE, 2, 0, 0, 2));
      assertTrue(core.isLeader());
      assertEquals(0, core.status().committed());
      assertEquals(List.of(), outbox.safeReads);
    }
  }
}

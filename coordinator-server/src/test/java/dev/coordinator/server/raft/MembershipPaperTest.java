// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.coordinator.server.raft.RaftMessage.AppendEntries;
import dev.coordinator.server.raft.RaftMessage.AppendEntriesReply;
import dev.coordinator.server.raft.RaftMessage.ReadIndex;
import dev.coordinator.server.raft.RaftMessage.ReadIndexReply;
import dev.coordinator.server.raft.RaftMessage.RequestVote;
import dev.coordinator.server.raft.RaftMessage.RequestVoteReply;
import dev.coordinator.server.raft.RaftMessage.TimeoutNow;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * The rules of Ongaro's dissertation for changes of members (chapter 4), leadership transfer
 * (§3.10) and reads on followers (§6.4), one test each, on member 1.
 */
class MembershipPaperTest {

  private static final NodeId SELF = new NodeId(1);
  private static final NodeId TWO = new NodeId(2);
  private static final NodeId THREE = new NodeId(3);
  private static final NodeId FOUR = new NodeId(4);
  private static final long T = 1_000;
  private static final RaftConfig CONFIG =
      new RaftConfig(T, 100, 20, 1 << 20, 64, 4).withMaxPromoteLag(2);

  private final Outbox outbox = new Outbox();
  private final List<RaftMessage> sent = new ArrayList<>();
  private final List<Outbox.SafeRead> safeReads = new ArrayList<>();
  private final List<Long> failedReads = new ArrayList<>();
  private RaftCore core;
  private long now;

  private static Membership of(long... voters) {
    List<NodeId> ids = new ArrayList<>();
    for (long voter : voters) {
      ids.add(new NodeId(voter));
    }
    return new Membership(ids);
  }

  /** These voters and one learner. */
  private static Membership withLearner(long learner, long... voters) {
    return of(voters).changedBy(MembershipChange.add(MemberInfo.of(new NodeId(learner))));
  }

  private void start(RestoredState restored) {
    core = new RaftCore(CONFIG, SELF, restored, new Random(1), RaftTrace.NONE, now);
    drain();
  }

  private void start(Membership membership, long term, Entry... log) {
    start(RestoredState.ofLog(membership, new HardState(term, NodeId.NONE), List.of(log)));
  }

  private static Entry command(long index, long term) {
    return Entry.command(index, term, 0, new byte[] {1});
  }

  private static Entry configuration(long index, long term, Membership membership) {
    return Entry.configuration(index, term, 0, membership);
  }

  private void drain() {
    sent.clear();
    safeReads.clear();
    failedReads.clear();
    do {
      core.drainTo(outbox);
      sent.addAll(outbox.messages);
      sent.addAll(outbox.messagesAfterPersist);
      safeReads.addAll(outbox.safeReads);
      failedReads.addAll(outbox.failedReads);
      for (Entry entry : outbox.committedEntries) {
        core.applied(entry.index());
      }
      if (outbox.batch != null) {
        core.persisted(outbox.batch.number(), now);
      }
    } while (outbox.batch != null);
  }

  private void receive(RaftMessage message) {
    receive(Sender.UNKNOWN, message);
  }

  private void receive(Sender sender, RaftMessage message) {
    core.receive(sender, message, now);
    drain();
  }

  private void tick(long durationMs) {
    now += durationMs;
    core.tick(now);
    drain();
  }

  /** Becomes leader with the votes of these members. */
  private void elect(NodeId... voters) {
    tick(2 * T);
    long term = core.status().term();
    for (NodeId voter : voters) {
      receive(new RequestVoteReply(voter, SELF, term, true, true, term + 1));
    }
    for (NodeId voter : voters) {
      receive(new RequestVoteReply(voter, SELF, term + 1, false, true, term + 1));
    }
    assertTrue(core.isLeader());
  }

  /** Becomes leader of these members, and commits the entry that opens its term. */
  private void lead(Membership membership) {
    start(membership, 1);
    elect(TWO, THREE);
    agree(TWO, THREE);
    assertEquals(1, core.status().committed());
  }

  /** These members have all that was sent. */
  private void agree(NodeId... members) {
    for (NodeId member : members) {
      agree(member, core.status().last(), core.member().effects.hardState().term());
    }
  }

  private void agree(NodeId member, long match, long term) {
    receive(new AppendEntriesReply(member, SELF, term, true, match, 0, 0, 0, round()));
  }

  private long round() {
    long round = 0;
    for (RaftMessage message : sent) {
      if (message instanceof AppendEntries append) {
        round = Math.max(round, append.round());
      }
    }
    return round;
  }

  private AppendEntries append(NodeId from, long term, long prev, long prevTerm, Entry... entries) {
    return new AppendEntries(from, SELF, term, prev, prevTerm, List.of(entries), 0, 0, 0);
  }

  private AppendEntries commit(NodeId from, long term, long index) {
    return new AppendEntries(from, SELF, term, index, term, List.of(), index, 0, 0);
  }

  private ChangeAnswer change(MembershipChange change) {
    ChangeAnswer answer = core.changeMembership(change, now);
    drain();
    return answer;
  }

  private Refusal transfer(NodeId target) {
    Refusal refusal = core.transferLeadership(target, now);
    drain();
    return refusal;
  }

  private <M extends RaftMessage> List<M> sent(Class<M> kind) {
    return sent.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  private String present() {
    return core.status().membership().toString();
  }

  private static void assertRefused(Refusal.Kind kind, String why, Refusal refusal) {
    assertEquals(new Refusal(kind, why), refusal);
  }

  @Nested
  @DisplayName("§4.1 Safety")
  class Safety {

    @Test
    @DisplayName("§4.1: a configuration counts from the moment it is in the log")
    void countsAtOnce() {
      lead(of(1, 2, 3));
      ChangeAnswer answer = change(MembershipChange.add(MemberInfo.of(FOUR)));
      assertEquals(2, answer.index());
      assertEquals("[1, 2, 3] learners [4]", present());
      assertEquals(1, core.status().committed());
      assertTrue(sent(AppendEntries.class).stream().anyMatch(one -> one.to().equals(FOUR)));
    }

    @Test
    @DisplayName("§4.1: a follower goes by the latest configuration in its log, committed or not")
    void followerGoesByItsLog() {
      start(of(1, 2, 3), 1);
      receive(append(TWO, 1, 0, 0, configuration(1, 1, of(1, 2, 3, 4, 5))));
      tick(2 * T);
      assertEquals(4, sent(RequestVote.class).size());
      assertEquals(0, core.status().committed());
    }

    @Test
    @DisplayName("§4.1: a configuration that gives way to other entries is taken back")
    void truncationTakesItBack() {
      start(of(1, 2, 3), 1, command(1, 1), configuration(2, 1, of(1, 2, 3, 4)));
      assertEquals("[1, 2, 3, 4]", present());
      receive(append(TWO, 2, 1, 1, command(2, 2)));
      assertEquals("[1, 2, 3]", present());
      assertEquals(0, core.status().membershipIndex());
    }

    @Test
    @DisplayName("§4.1: no change before the one before is committed")
    void oneAtATime() {
      lead(of(1, 2, 3));
      assertFalse(change(MembershipChange.add(MemberInfo.of(FOUR))).isRefused());
      Refusal refusal = change(MembershipChange.remove(THREE)).refusal();
      assertRefused(Refusal.Kind.NOT_NOW, "another change is under way", refusal);
      agree(TWO);
      assertFalse(change(MembershipChange.remove(THREE)).isRefused());
    }

    @Test
    @DisplayName("§4.1: no change before an entry of the leader's own term is committed")
    void notBeforeOwnTermCommits() {
      start(of(1, 2, 3), 1);
      elect(TWO, THREE);
      Refusal refusal = change(MembershipChange.add(MemberInfo.of(FOUR))).refusal();
      assertRefused(
          Refusal.Kind.NOT_NOW, "no entry of the leader's term is committed yet", refusal);
      agree(TWO);
      assertFalse(change(MembershipChange.add(MemberInfo.of(FOUR))).isRefused());
    }

    @Test
    @DisplayName("§4.1: only the leader changes the configuration")
    void onlyTheLeader() {
      start(of(1, 2, 3), 1);
      Refusal refusal = change(MembershipChange.remove(THREE)).refusal();
      assertEquals(Refusal.Kind.NOT_LEADER, refusal.kind());
    }

    @Test
    @DisplayName("§4.1: what does not fit the configuration is refused for good")
    void impossibleChanges() {
      lead(withLearner(4, 1, 2, 3));
      agree(FOUR);
      assertImpossible(
          "member 4 is there with other addresses",
          MembershipChange.add(new MemberInfo(FOUR, "a:1", "a:2", 0)));
      assertImpossible("member 9 is no learner", MembershipChange.promote(new NodeId(9)));
      assertImpossible("member 3 is no learner", MembershipChange.replace(TWO, THREE));
      assertImpossible("member 9 is not there", MembershipChange.replace(new NodeId(9), FOUR));
      assertImpossible("member 4 is named twice", MembershipChange.replace(FOUR, FOUR));
      assertImpossible("0 is no id of a member", MembershipChange.add(MemberInfo.of(NodeId.NONE)));
      assertImpossible(
          "no voter would be left",
          new MembershipChange(List.of(), List.of(), List.of(SELF, TWO, THREE)));
      assertImpossible("it changes nothing", new MembershipChange(List.of(), List.of(), List.of()));
      assertEquals(0, core.status().membershipIndex());
    }

    @Test
    @DisplayName("§4.1: what the configuration has already is told apart from what it cannot have")
    void needlessChanges() {
      lead(withLearner(4, 1, 2, 3));
      agree(FOUR);
      assertNeedless("member 3 is there already", MembershipChange.add(MemberInfo.of(THREE)));
      assertNeedless("member 4 is there already", MembershipChange.add(MemberInfo.of(FOUR)));
      assertNeedless("member 3 is a voter already", MembershipChange.promote(THREE));
      assertNeedless("member 9 is not there", MembershipChange.remove(new NodeId(9)));
      assertNeedless(
          "member 3 is a voter already, member 9 is not there",
          MembershipChange.replace(new NodeId(9), THREE));
      assertEquals(0, core.status().membershipIndex());
    }

    private void assertNeedless(String why, MembershipChange change) {
      assertRefused(Refusal.Kind.ALREADY, why, change(change).refusal());
    }

    private void assertImpossible(String why, MembershipChange change) {
      assertRefused(Refusal.Kind.IMPOSSIBLE, why, change(change).refusal());
    }
  }

  @Nested
  @DisplayName("§4.2.1 Catching up new servers")
  class Learners {

    @Test
    @DisplayName("§4.2.1: a learner counts for no majority")
    void countsForNothing() {
      lead(withLearner(4, 1, 2, 3));
      core.propose(new byte[] {1}, now);
      drain();
      agree(FOUR);
      assertEquals(1, core.status().committed());
      agree(TWO);
      assertEquals(2, core.status().committed());
    }

    @Test
    @DisplayName("§4.2.1: a learner never campaigns, but tells that it hears nobody")
    void neverCampaigns() {
      start(withLearner(1, 2, 3, 4), 1);
      receive(append(TWO, 1, 0, 0));
      assertEquals(TWO, core.status().leader());
      for (int i = 0; i < 5; i++) {
        tick(2 * T);
        assertEquals(List.of(), sent);
      }
      assertEquals(NodeId.NONE, core.status().leader());
    }

    @Test
    @DisplayName("§4.2.1: a learner that is far behind, or silent, does not become a voter")
    void laggingLearnerIsNotPromoted() {
      lead(withLearner(4, 1, 2, 3));
      Refusal refusal = change(MembershipChange.promote(FOUR)).refusal();
      assertRefused(Refusal.Kind.NOT_NOW, "member 4 is 1 entries behind", refusal);
      agree(FOUR);
      core.propose(new byte[] {1}, now);
      core.propose(new byte[] {2}, now);
      core.propose(new byte[] {3}, now);
      drain();
      agree(TWO);
      refusal = change(MembershipChange.promote(FOUR)).refusal();
      assertRefused(Refusal.Kind.NOT_NOW, "member 4 is 3 entries behind", refusal);
      agree(FOUR, 2, 2);
      now += T;
      agree(TWO, THREE);
      refusal = change(MembershipChange.promote(FOUR)).refusal();
      assertRefused(Refusal.Kind.NOT_NOW, "member 4 was not heard lately", refusal);
      agree(FOUR, 2, 2);
      assertFalse(change(MembershipChange.promote(FOUR)).isRefused());
    }

    @Test
    @DisplayName("a learner that may not know yet that it was added does not become a voter")
    void learnerThatKnowsNoConfigurationIsNotPromoted() {
      lead(of(1, 2, 3));
      assertFalse(change(MembershipChange.add(MemberInfo.of(FOUR))).isRefused());
      agree(TWO);
      agree(FOUR, 1, 2);
      Refusal refusal = change(MembershipChange.promote(FOUR)).refusal();
      assertRefused(Refusal.Kind.NOT_NOW, "member 4 lacks the present configuration", refusal);
      agree(FOUR);
      assertFalse(change(MembershipChange.promote(FOUR)).isRefused());
    }

    @Test
    @DisplayName("§4.2.1: a member that joins waits until it is spoken to")
    void joiningMemberWaits() {
      start(RestoredState.fresh(Membership.NONE));
      tick(5 * T);
      assertEquals(List.of(), sent);
      receive(new Sender(7, 3), new RequestVote(TWO, SELF, 4, false, 9, 3));
      assertFalse(sent(RequestVoteReply.class).get(0).granted());
      receive(
          new Sender(7, 3),
          append(TWO, 4, 0, 0, command(1, 1), configuration(2, 1, withLearner(1, 2, 3))));
      assertTrue(sent(AppendEntriesReply.class).get(0).success());
      assertEquals("[2, 3] learners [1]", present());
    }
  }

  @Nested
  @DisplayName("§4.2.2 Removing the current leader")
  class RemovingTheLeader {

    @Test
    @DisplayName("§4.2.2: a leader that is leaving does not count itself in the new configuration")
    void doesNotCountItself() {
      lead(of(1, 2, 3));
      change(MembershipChange.remove(SELF));
      agree(TWO);
      assertEquals(1, core.status().committed(), "itself and 2 are no majority of 2 and 3");
      agree(THREE);
      assertEquals("[2, 3]", present(), "the joint one is committed, so the new one began");
      assertEquals(2, core.status().committed());
      agree(TWO);
      assertEquals(2, core.status().committed(), "itself and 2 are no majority of 2 and 3");
      agree(THREE);
      assertEquals(3, core.status().committed());
    }

    @Test
    @DisplayName("§4.2.2: it hands over once the new configuration is committed")
    void handsOver() {
      lead(of(1, 2, 3));
      change(MembershipChange.remove(SELF));
      agree(TWO, THREE);
      agree(TWO, THREE);
      assertTrue(core.isLeader());
      assertFalse(core.acceptsProposals());
      assertEquals(3, sent(TimeoutNow.class).get(0).lastLogIndex());
    }

    @Test
    @DisplayName("§4.2.2: its followers listen to it until then, and to its order to stand")
    void leadsUntilThen() {
      start(of(1, 2, 3), 1);
      Membership without = of(1, 2, 3).changedBy(MembershipChange.remove(TWO)).completed();
      receive(append(TWO, 1, 0, 0, command(1, 1), configuration(2, 1, without)));
      receive(append(TWO, 1, 2, 1));
      receive(new AppendEntries(TWO, SELF, 1, 2, 1, List.of(), 2, 0, 0));
      assertEquals(2, core.status().committed());
      receive(append(TWO, 1, 2, 1, command(3, 1)));
      assertEquals(3, core.status().last(), "a removed leader still leads");
      receive(append(THREE, 1, 3, 1, command(4, 1)));
      assertEquals(3, core.status().last(), "another one does not");
      receive(new TimeoutNow(TWO, SELF, 1, 3));
      assertEquals(RoleKind.CANDIDATE, core.status().role());
      receive(append(TWO, 1, 3, 1, command(4, 1)));
      assertEquals(3, core.status().last(), "it no longer leads");
    }

    @Test
    @DisplayName("§4.2.2: if nobody takes over, it steps down, and stands for no election again")
    void stepsDown() {
      handsOver();
      tick(T - 1);
      agree(TWO, THREE);
      tick(1);
      assertEquals(RoleKind.FOLLOWER, core.status().role());
      tick(5 * T);
      assertEquals(List.of(), sent);
    }

    @Test
    @DisplayName("§4.2.2: who is leaving still campaigns until its going is committed")
    void leavingMemberMayBeNeeded() {
      Membership joint = of(1, 2).changedBy(MembershipChange.remove(SELF));
      start(of(1, 2), 1, configuration(1, 1, joint), configuration(2, 1, joint.completed()));
      assertEquals("[2]", present());
      tick(2 * T);
      assertEquals(TWO, sent(RequestVote.class).get(0).to());
      elect(TWO);
      assertEquals(3, core.status().last());
    }
  }

  @Nested
  @DisplayName("§4.2.3 Disruptive servers")
  class Disruption {

    @Test
    @DisplayName("§4.2.3: a message of a stranger changes no term, and gets no answer")
    void strangersAreIgnored() {
      start(of(1, 2, 3), 1);
      receive(new RequestVote(FOUR, SELF, 9, false, 50, 8));
      receive(append(FOUR, 9, 0, 0));
      receive(new AppendEntriesReply(FOUR, SELF, 9, false, 0, 0, 0, 1, 0));
      receive(new TimeoutNow(FOUR, SELF, 9, 0));
      receive(new ReadIndex(FOUR, SELF, 9, 1));
      assertEquals(1, core.status().term());
      assertEquals(List.of(), sent);
    }

    @Test
    @DisplayName("§4.1: whoever is added again right after its removal begins with an empty log")
    void addedAgainBeginsAnew() {
      lead(of(1, 2, 3));
      change(MembershipChange.add(MemberInfo.of(FOUR)));
      agree(TWO, THREE, FOUR);
      change(MembershipChange.remove(FOUR));
      long term = core.status().term();
      // The removal is committed and the member added in one round, before the core is drained.
      for (NodeId voter : List.of(TWO, THREE)) {
        core.receive(
            Sender.UNKNOWN,
            new AppendEntriesReply(voter, SELF, term, true, core.status().last(), 0, 0, 0, round()),
            now);
      }
      assertFalse(
          core.changeMembership(MembershipChange.add(MemberInfo.of(FOUR)), now).isRefused());
      drain();
      AppendEntries first =
          sent(AppendEntries.class).stream()
              .filter(append -> append.to().equals(FOUR))
              .reduce((earlier, later) -> later)
              .orElseThrow();
      receive(
          new AppendEntriesReply(
              FOUR, SELF, term, false, 0, first.prevLogIndex(), 0, 1, first.round()));
      assertTrue(
          sent(AppendEntries.class).stream()
              .anyMatch(append -> append.to().equals(FOUR) && append.prevLogIndex() == 0));
    }

    @Test
    @DisplayName("§4.2.3: a removed member is a stranger once that is committed")
    void removedMemberIsIgnored() {
      start(of(1, 2, 3, 4), 1, command(1, 1), configuration(2, 1, of(1, 2, 3)));
      tick(2 * T);
      receive(new Sender(0, 0), new RequestVote(FOUR, SELF, 5, false, 1, 1));
      assertEquals(5, core.status().term(), "it may be taken back");
      receive(commit(TWO, 6, 0));
      receive(new AppendEntries(TWO, SELF, 6, 2, 1, List.of(), 2, 0, 0));
      assertEquals(2, core.status().committed());
      receive(new Sender(0, 0), new RequestVote(FOUR, SELF, 9, false, 1, 1));
      assertEquals(6, core.status().term());
    }

    @Test
    @DisplayName("§4.1: a member that is behind listens to a leader that it does not know")
    void unknownLeaderWithLaterConfiguration() {
      start(of(1, 2, 3), 1, command(1, 1));
      receive(new Sender(0, 2), append(FOUR, 3, 1, 1, configuration(2, 2, of(1, 2, 4))));
      assertEquals(FOUR, core.status().leader());
      assertEquals("[1, 2, 4]", present());
    }

    @Test
    @DisplayName("§4.1: also if its own uncommitted configuration has a higher index")
    void ownUncommittedConfigurationDoesNotDeafen() {
      start(of(1, 2, 3), 3, command(1, 1), command(2, 1), configuration(3, 1, of(1, 2, 3, 5)));
      receive(new Sender(0, 2), append(FOUR, 3, 1, 1, configuration(2, 2, of(1, 2, 4))));
      assertEquals(FOUR, core.status().leader());
      assertEquals("[1, 2, 4]", present());
    }

    @Test
    @DisplayName("§11: a member that lost its data directory does not pass for its former self")
    void wipedMemberIsIgnored() {
      MemberInfo two = MemberInfo.of(TWO).withIncarnation(22);
      Membership known =
          new Membership(
              List.of(MemberInfo.of(SELF), two, MemberInfo.of(THREE)),
              Set.of(SELF, TWO, THREE),
              Set.of(),
              Set.of());
      start(known, 1);
      receive(new Sender(23, 0), new RequestVote(TWO, SELF, 5, false, 9, 4));
      assertEquals(1, core.status().term());
      receive(new Sender(0, 99), new RequestVote(TWO, SELF, 5, false, 9, 4));
      assertEquals(1, core.status().term());
      receive(new Sender(22, 0), new RequestVote(TWO, SELF, 5, false, 9, 4));
      assertEquals(5, core.status().term());
    }

    @Test
    @DisplayName("§4.1: a member that is behind follows a leader that was added again meanwhile")
    void leaderThatWasAddedAgain() {
      MemberInfo two = MemberInfo.of(TWO).withIncarnation(22);
      Membership known =
          new Membership(
              List.of(MemberInfo.of(SELF), two, MemberInfo.of(THREE)),
              Set.of(SELF, TWO, THREE),
              Set.of(),
              Set.of());
      start(of(1, 2, 3), 1, configuration(1, 1, known));
      receive(new Sender(23, 0), append(TWO, 5, 1, 1));
      assertEquals(1, core.status().term(), "it has lost its directory");
      receive(new Sender(23, 7), new RequestVote(TWO, SELF, 5, false, 9, 4));
      assertEquals(1, core.status().term(), "it may have");
      receive(new Sender(23, 7), append(TWO, 5, 1, 1));
      assertEquals(TWO, core.status().leader());
    }

    @Test
    @DisplayName("§11: a cluster begins with the votes of all founders")
    void foundersVote() {
      start(RestoredState.fresh(of(1, 2, 3).founding()).withIncarnation(11));
      tick(2 * T);
      receive(new Sender(22, 0), new RequestVoteReply(TWO, SELF, 0, true, true, 1));
      assertEquals(RoleKind.PRE_CANDIDATE, core.status().role());
      receive(new Sender(33, 0), new RequestVoteReply(THREE, SELF, 0, true, true, 1));
      receive(new Sender(22, 0), new RequestVoteReply(TWO, SELF, 1, false, true, 1));
      assertEquals(RoleKind.CANDIDATE, core.status().role());
      receive(new Sender(33, 0), new RequestVoteReply(THREE, SELF, 1, false, true, 1));
      assertTrue(core.isLeader());
    }

    @Test
    @DisplayName("§11: it has begun when all founders know each other's data directories")
    void foundersCommit() {
      start(RestoredState.fresh(of(1, 2, 3).founding()).withIncarnation(11));
      elect(TWO, THREE);
      Sender two = new Sender(22, 0);
      Sender three = new Sender(33, 0);
      receive(two, new AppendEntriesReply(TWO, SELF, 1, true, 1, 0, 0, 0, 0));
      assertEquals(0, core.status().committed());
      receive(three, new AppendEntriesReply(THREE, SELF, 1, true, 1, 0, 0, 0, 0));
      assertEquals(1, core.status().committed());
      assertEquals(22, core.status().membership().member(TWO).incarnation());
      receive(two, new AppendEntriesReply(TWO, SELF, 1, true, 2, 0, 0, 0, 0));
      assertEquals(1, core.status().committed());
      assertTrue(core.isLeader() && !core.acceptsProposals());
      assertEquals(
          Refusal.Kind.NOT_NOW,
          core.changeMembership(MembershipChange.remove(THREE), now).refusal().kind());

      receive(three, new AppendEntriesReply(THREE, SELF, 1, true, 2, 0, 0, 0, 0));
      assertEquals(2, core.status().committed());
      assertFalse(core.status().membership().isFounding());
      assertTrue(core.acceptsProposals());
      receive(two, new AppendEntriesReply(TWO, SELF, 1, true, 3, 0, 0, 0, 0));
      assertEquals(3, core.status().committed());
    }

    @Test
    @DisplayName(
        "§11: whoever starts with a snapshot of a cluster that has not begun needs all founders,"
            + " too")
    void foundersSnapshot() {
      start(RestoredState.fresh(of(1, 2, 3).founding()).withIncarnation(11));
      elect(TWO, THREE);
      receive(new Sender(22, 0), new AppendEntriesReply(TWO, SELF, 1, true, 1, 0, 0, 0, 0));
      receive(new Sender(33, 0), new AppendEntriesReply(THREE, SELF, 1, true, 1, 0, 0, 0, 0));
      assertTrue(core.snapshotMeta().membership().isFounding());
    }

    @Test
    @DisplayName("§11: who refuses to begin the cluster is enough to keep it from beginning")
    void founderRefuses() {
      start(RestoredState.fresh(of(1, 2, 3).founding()).withIncarnation(11));
      tick(2 * T);
      receive(new RequestVoteReply(TWO, SELF, 0, true, false, 1));
      assertEquals(RoleKind.FOLLOWER, core.status().role());
    }

    @Test
    @DisplayName("§11: the leader records which data directories its members run on")
    void incarnationsAreRecorded() {
      start(RestoredState.fresh(of(1, 2, 3)).withIncarnation(11));
      elect(TWO, THREE);
      receive(new Sender(22, 0), new AppendEntriesReply(TWO, SELF, 1, true, 1, 0, 0, 0, 0));
      assertEquals(2, core.status().membershipIndex());
      assertEquals(11, core.status().membership().member(SELF).incarnation());
      assertEquals(22, core.status().membership().member(TWO).incarnation());
      assertEquals(0, core.status().membership().member(THREE).incarnation());
      receive(new Sender(22, 0), new AppendEntriesReply(TWO, SELF, 1, true, 2, 0, 0, 0, 0));
      receive(new Sender(33, 0), new AppendEntriesReply(THREE, SELF, 1, true, 2, 0, 0, 0, 0));
      assertEquals(33, core.status().membership().member(THREE).incarnation());
    }

    @Test
    @DisplayName("§11: a change that is refused does not forget the data directories")
    void incarnationsOutliveARefusal() {
      start(
          RestoredState.ofLog(of(1, 2, 3), new HardState(1, NodeId.NONE), List.of())
              .withIncarnation(11));
      elect(TWO, THREE);
      core.receive(
          new Sender(22, 0), new AppendEntriesReply(TWO, SELF, 2, true, 1, 0, 0, 0, 0), now);
      now += 2 * T;
      assertEquals(
          Refusal.Kind.NOT_NOW,
          core.changeMembership(MembershipChange.add(MemberInfo.of(FOUR)), now).refusal().kind());
      drain();
      assertEquals(11, core.status().membership().member(SELF).incarnation());
    }

    @Test
    @DisplayName("§11: nobody becomes a voter before its data directory is recorded")
    void incarnationsAreRecordedWithAChange() {
      lead(of(1, 2, 3));
      change(MembershipChange.add(MemberInfo.of(FOUR)));
      agree(TWO);
      Sender four = new Sender(44, 0);
      core.receive(four, new AppendEntriesReply(FOUR, SELF, 2, true, 2, 0, 0, 0, 0), now);
      assertFalse(change(MembershipChange.promote(FOUR)).isRefused());
      assertEquals("[1, 2, 3] to [1, 2, 3, 4]", present());
      assertEquals(44, core.status().membership().member(FOUR).incarnation());
    }
  }

  @Nested
  @DisplayName("§4.3 Arbitrary configuration changes using joint consensus")
  class JointConsensus {

    @Test
    @DisplayName("§4.3: a change of voters begins with a joint configuration and ends by itself")
    void goesByWayOfAJointOne() {
      lead(withLearner(4, 1, 2, 3));
      agree(FOUR);
      ChangeAnswer answer = change(MembershipChange.replace(THREE, FOUR));
      assertEquals("[1, 2, 3] to [1, 2, 4]", present());
      assertEquals(2, answer.index());
      agree(TWO);
      assertEquals("[1, 2, 4]", present());
      assertFalse(core.status().isMembershipSettled());
      agree(TWO);
      assertEquals(3, core.status().committed());
      assertTrue(core.status().isMembershipSettled());
    }

    @Test
    @DisplayName("§4.3: while it is joint, entries need both majorities")
    void commitNeedsBoth() {
      lead(
          of(1, 2, 3)
              .changedBy(
                  new MembershipChange(
                      List.of(MemberInfo.of(FOUR), MemberInfo.of(new NodeId(5))),
                      List.of(),
                      List.of())));
      agree(FOUR, new NodeId(5));
      change(new MembershipChange(List.of(), List.of(FOUR, new NodeId(5)), List.of(TWO, THREE)));
      assertEquals("[1, 2, 3] to [1, 4, 5]", present());
      agree(FOUR, new NodeId(5));
      assertEquals(1, core.status().committed(), "a majority of the new ones alone");
      agree(TWO);
      assertEquals(2, core.status().committed());
    }

    @Test
    @DisplayName("§4.3: while it is joint, an election needs both majorities")
    void electionNeedsBoth() {
      Membership joint =
          new Membership(
              List.of(
                  MemberInfo.of(SELF),
                  MemberInfo.of(TWO),
                  MemberInfo.of(THREE),
                  MemberInfo.of(FOUR),
                  MemberInfo.of(new NodeId(5))),
              Set.of(SELF, FOUR, new NodeId(5)),
              Set.of(SELF, TWO, THREE),
              Set.of());
      start(of(1, 2, 3), 1, configuration(1, 1, joint));
      tick(2 * T);
      assertEquals(4, sent(RequestVote.class).size());
      preVote(TWO);
      preVote(THREE);
      assertEquals(RoleKind.PRE_CANDIDATE, core.status().role());
      preVote(FOUR);
      assertEquals(RoleKind.CANDIDATE, core.status().role());
      receive(new RequestVoteReply(FOUR, SELF, 2, false, true, 2));
      receive(new RequestVoteReply(new NodeId(5), SELF, 2, false, true, 2));
      assertEquals(RoleKind.CANDIDATE, core.status().role());
      receive(new RequestVoteReply(TWO, SELF, 2, false, true, 2));
      assertTrue(core.isLeader());
    }

    private void preVote(NodeId voter) {
      receive(new RequestVoteReply(voter, SELF, 1, true, true, 2));
    }

    @Test
    @DisplayName("§4.3: a new leader completes the joint configuration of the one before")
    void newLeaderCompletes() {
      Membership joint = of(1, 2, 3).changedBy(MembershipChange.remove(THREE));
      start(of(1, 2, 3), 1, configuration(1, 1, joint));
      elect(TWO, THREE);
      assertEquals("[1, 2, 3] to [1, 2]", present());
      assertEquals(2, core.status().last());
      agree(TWO);
      assertEquals(3, core.status().last());
      assertEquals("[1, 2]", present());
    }

    @Test
    @DisplayName("§4.3: who leaves gets a last message that tells so")
    void farewell() {
      lead(of(1, 2, 3));
      agree(THREE);
      change(MembershipChange.remove(THREE));
      agree(TWO);
      agree(TWO);
      List<AppendEntries> last =
          sent(AppendEntries.class).stream().filter(one -> one.to().equals(THREE)).toList();
      assertEquals(3, last.get(last.size() - 1).leaderCommit());
      tick(100);
      assertTrue(
          sent(AppendEntries.class).stream().noneMatch(message -> message.to().equals(THREE)));
    }

    @Test
    @DisplayName("§4.3: a single member grows to three and shrinks to one")
    void growsAndShrinks() {
      start(of(1), 1);
      tick(0);
      assertTrue(core.isLeader());
      change(
          new MembershipChange(
              List.of(MemberInfo.of(TWO), MemberInfo.of(THREE)), List.of(), List.of()));
      agree(TWO, THREE);
      change(new MembershipChange(List.of(), List.of(TWO, THREE), List.of()));
      agree(TWO, THREE);
      agree(TWO, THREE);
      assertEquals("[1, 2, 3]", present());
      assertTrue(core.status().isMembershipSettled());
      change(new MembershipChange(List.of(), List.of(), List.of(TWO, THREE)));
      agree(TWO, THREE);
      assertEquals("[1]", present());
      assertTrue(core.status().isMembershipSettled());
      core.propose(new byte[] {1}, now);
      drain();
      assertEquals(core.status().last(), core.status().committed());
    }
  }

  @Nested
  @DisplayName("§3.10 Leadership transfer extension")
  class TransferOfLeadership {

    @Test
    @DisplayName("§3.10: the leader stops taking proposals, and tells a target that is up to date")
    void upToDateTargetIsToldAtOnce() {
      lead(of(1, 2, 3));
      assertNull(transfer(TWO));
      assertFalse(core.acceptsProposals());
      assertEquals(List.of(new TimeoutNow(SELF, TWO, 2, 1)), sent(TimeoutNow.class));
      assertEquals(TWO, core.status().transferTarget());
    }

    @Test
    @DisplayName("§3.10: a target that is behind is brought up to date first")
    void laggingTargetIsBroughtUpToDate() {
      lead(of(1, 2, 3));
      core.propose(new byte[] {1}, now);
      transfer(TWO);
      assertEquals(List.of(), sent(TimeoutNow.class));
      agree(THREE);
      assertEquals(List.of(), sent(TimeoutNow.class));
      agree(TWO);
      assertEquals(List.of(new TimeoutNow(SELF, TWO, 2, 2)), sent(TimeoutNow.class));
    }

    @Test
    @DisplayName("§3.10: after an election timeout it gives up and takes proposals again")
    void givenUp() {
      lead(of(1, 2, 3));
      transfer(TWO);
      tick(T - 1);
      assertFalse(core.acceptsProposals());
      agree(TWO, THREE);
      tick(1);
      assertTrue(core.acceptsProposals());
      assertEquals(NodeId.NONE, core.status().transferTarget());
    }

    @Test
    @DisplayName("§3.10: a request that was lost is repeated with the heartbeats")
    void lostRequestIsRepeated() {
      lead(of(1, 2, 3));
      transfer(TWO);
      tick(100);
      assertEquals(1, sent(TimeoutNow.class).size());
    }

    @Test
    @DisplayName("§3.10: asked again for the same, it goes on; for another, it refuses")
    void askedAgain() {
      lead(of(1, 2, 3));
      transfer(TWO);
      assertNull(transfer(TWO));
      assertNull(transfer(NodeId.NONE));
      assertRefused(Refusal.Kind.NOT_NOW, "leadership is being transferred to 2", transfer(THREE));
      assertRefused(
          Refusal.Kind.NOT_NOW,
          "leadership is being transferred to 2",
          change(MembershipChange.remove(THREE)).refusal());
    }

    @Test
    @DisplayName("§3.10: learners, strangers and itself are no targets, nor is one that is silent")
    void forbiddenTargets() {
      lead(withLearner(4, 1, 2, 3));
      assertRefused(Refusal.Kind.IMPOSSIBLE, "member 4 is no voter", transfer(FOUR));
      assertRefused(Refusal.Kind.IMPOSSIBLE, "member 9 is no voter", transfer(new NodeId(9)));
      assertRefused(Refusal.Kind.ALREADY, "member 1 leads already", transfer(SELF));
      tick(T / 2);
      agree(TWO);
      tick(T / 2);
      assertRefused(Refusal.Kind.NOT_NOW, "member 3 was not heard lately", transfer(THREE));
      assertTrue(core.acceptsProposals());
      start(of(1), 1);
      tick(0);
      assertRefused(Refusal.Kind.NOT_NOW, "no other voter was heard lately", transfer(NodeId.NONE));
    }

    @Test
    @DisplayName("§3.10: without a target, the voter with most of the log is the one")
    void bestTarget() {
      lead(withLearner(4, 1, 2, 3));
      core.propose(new byte[] {1}, now);
      drain();
      agree(THREE, FOUR);
      transfer(NodeId.NONE);
      assertEquals(THREE, core.status().transferTarget());
    }

    @Test
    @DisplayName("§3.10: the target campaigns at once, without asking first")
    void targetCampaigns() {
      start(of(1, 2, 3), 1);
      receive(append(TWO, 1, 0, 0, command(1, 1)));
      receive(new TimeoutNow(TWO, SELF, 1, 1));
      List<RequestVote> requests = sent(RequestVote.class);
      assertEquals(2, requests.size());
      assertTrue(requests.get(0).transfer());
      assertFalse(requests.get(0).preVote());
      assertEquals(2, core.status().term());
    }

    @Test
    @DisplayName("§3.10: a request that comes twice or late, or from another, changes nothing")
    void lateRequestsAreIgnored() {
      start(of(1, 2, 3), 1);
      receive(new TimeoutNow(TWO, SELF, 1, 0));
      assertEquals(1, core.status().term(), "it follows nobody");
      receive(append(TWO, 1, 0, 0, command(1, 1), command(2, 1)));
      receive(new TimeoutNow(TWO, SELF, 1, 1));
      assertEquals(1, core.status().term(), "the leader has gone on since");
      receive(new TimeoutNow(THREE, SELF, 1, 2));
      assertEquals(1, core.status().term(), "it follows another");
      receive(new TimeoutNow(TWO, SELF, 1, 2));
      receive(new TimeoutNow(TWO, SELF, 1, 2));
      assertEquals(2, core.status().term(), "it campaigns already");
    }

    @Test
    @DisplayName("§3.10: a learner does not campaign, whoever asks")
    void learnerDoesNotCampaign() {
      start(withLearner(1, 2, 3), 1);
      receive(append(TWO, 1, 0, 0));
      receive(new TimeoutNow(TWO, SELF, 1, 0));
      assertEquals(1, core.status().term());
    }

    @Test
    @DisplayName("§4.2.3: voters that hear the leader vote all the same, and so does the leader")
    void votersDisregardTheLeader() {
      start(of(1, 2, 3), 1);
      receive(append(TWO, 1, 0, 0));
      receive(new RequestVote(THREE, SELF, 2, false, 0, 0));
      assertEquals(List.of(), sent);
      receive(new RequestVote(THREE, SELF, 2, false, 0, 0, true));
      assertTrue(sent(RequestVoteReply.class).get(0).granted());
      lead(of(1, 2, 3));
      receive(new RequestVote(TWO, SELF, 3, false, 1, 2, true));
      assertTrue(sent(RequestVoteReply.class).get(0).granted());
      assertEquals(RoleKind.FOLLOWER, core.status().role());
    }
  }

  @Nested
  @DisplayName("§6.4 Processing read-only queries more efficiently, on followers")
  class ReadsOnFollowers {

    private long ask() {
      core.read(7, now);
      drain();
      return sent(ReadIndex.class).get(0).request();
    }

    @Test
    @DisplayName("§6.4: a follower asks its leader from where on its reads are safe")
    void asksTheLeader() {
      start(of(1, 2, 3), 1);
      receive(append(TWO, 1, 0, 0));
      core.read(6, now);
      core.read(7, now);
      drain();
      assertEquals(1, sent(ReadIndex.class).size(), "those that come together ask together");
      long request = sent(ReadIndex.class).get(0).request();
      receive(new ReadIndexReply(TWO, SELF, 1, request, true, 5));
      assertEquals(List.of(new Outbox.SafeRead(6, 5), new Outbox.SafeRead(7, 5)), safeReads);
    }

    @Test
    @DisplayName("§6.4: reads fail without a leader, when it is lost, refuses or does not answer")
    void givesUp() {
      start(of(1, 2, 3), 1);
      core.read(1, now);
      drain();
      assertEquals(List.of(1L), failedReads);
      receive(append(TWO, 1, 0, 0));
      long request = ask();
      receive(new ReadIndexReply(TWO, SELF, 1, request, false, 0));
      assertEquals(List.of(7L), failedReads);
      ask();
      core.disconnected(TWO, now);
      drain();
      assertEquals(List.of(7L), failedReads);
      receive(append(TWO, 1, 0, 0));
      ask();
      receive(append(THREE, 2, 0, 0));
      assertEquals(List.of(7L), failedReads);
      ask();
      tick(T - 1);
      receive(append(THREE, 2, 0, 0));
      assertEquals(List.of(), failedReads);
      assertTrue(outbox.nextWakeupMs <= now + 1);
      tick(1);
      assertEquals(List.of(7L), failedReads);
    }

    @Test
    @DisplayName("§6.4: an answer to an earlier life of this member is none")
    void requestsAreNotNumberedTwice() {
      start(of(1, 2, 3), 1);
      receive(append(TWO, 1, 0, 0));
      long before = ask();
      core =
          new RaftCore(
              CONFIG,
              SELF,
              RestoredState.ofLog(of(1, 2, 3), new HardState(1, NodeId.NONE), List.of()),
              new Random(2),
              RaftTrace.NONE,
              now);
      receive(append(TWO, 1, 0, 0));
      ask();
      receive(new ReadIndexReply(TWO, SELF, 1, before, true, 0));
      assertEquals(List.of(), safeReads);
    }

    @Test
    @DisplayName("§6.4: the leader answers after a majority has confirmed it, not before")
    void leaderConfirmsFirst() {
      lead(of(1, 2, 3));
      receive(new ReadIndex(THREE, SELF, 2, 40));
      assertEquals(List.of(), sent(ReadIndexReply.class));
      agree(TWO);
      assertEquals(
          List.of(new ReadIndexReply(SELF, THREE, 2, 40, true, 1)), sent(ReadIndexReply.class));
    }

    @Test
    @DisplayName("§6.4: the asking follower's own answer to an older round confirms nothing")
    void olderRoundsConfirmNothing() {
      lead(of(1, 2, 3));
      long before = round();
      receive(new ReadIndex(THREE, SELF, 2, 40));
      receive(new AppendEntriesReply(TWO, SELF, 2, true, 1, 0, 0, 0, before));
      receive(new AppendEntriesReply(THREE, SELF, 2, true, 1, 0, 0, 0, before));
      assertEquals(List.of(), sent(ReadIndexReply.class));
    }

    @Test
    @DisplayName("§6.4: before an entry of its own term is committed, the leader lets them wait")
    void waitsForOwnTerm() {
      start(of(1, 2, 3), 1, command(1, 1));
      elect(TWO, THREE);
      receive(new ReadIndex(THREE, SELF, 2, 40));
      receive(new AppendEntriesReply(THREE, SELF, 2, true, 1, 0, 0, 0, 0));
      assertEquals(List.of(), sent(ReadIndexReply.class));
      agree(TWO);
      agree(TWO);
      assertEquals(2, sent(ReadIndexReply.class).get(0).index());
    }

    @Test
    @DisplayName("§6.4: what a follower has given up by now does not gather at the leader")
    void forgetsOldQuestions() {
      start(of(1, 2, 3), 1, command(1, 1));
      elect(TWO, THREE);
      receive(new ReadIndex(THREE, SELF, 2, 40));
      tick(T / 2);
      receive(new AppendEntriesReply(TWO, SELF, 2, true, 1, 0, 0, 0, 0));
      receive(new AppendEntriesReply(THREE, SELF, 2, true, 1, 0, 0, 0, 0));
      receive(new ReadIndex(THREE, SELF, 2, 41));
      tick(T / 2 + 1);
      agree(TWO);
      agree(TWO);
      assertEquals(
          List.of(41L), sent(ReadIndexReply.class).stream().map(ReadIndexReply::request).toList());
    }

    private void readInATermThatIsNotDurable() {
      start(of(1, 2, 3), 1);
      core.receive(append(TWO, 3, 0, 0), now);
      core.read(6, now);
      core.drainTo(outbox);
    }

    @Test
    @DisplayName("§6.4: a follower asks in a term only when its disk has that")
    void asksInADurableTerm() {
      readInATermThatIsNotDurable();
      long batch = outbox.batch.number();
      assertEquals(List.of(), outbox.messages);
      assertTrue(outbox.messagesAfterPersist.stream().noneMatch(ReadIndex.class::isInstance));
      core.read(7, now);
      core.drainTo(outbox);
      assertTrue(outbox.messagesAfterPersist.stream().noneMatch(ReadIndex.class::isInstance));
      core.persisted(batch, now);
      drain();
      assertEquals(1, sent(ReadIndex.class).size());
    }

    @Test
    @DisplayName("§6.4: a follower gives up reads that its disk keeps it from asking for")
    void givesUpWhatItCannotAskFor() {
      readInATermThatIsNotDurable();
      assertEquals(now + T, outbox.nextWakeupMs);
      now += T;
      core.receive(append(TWO, 3, 0, 0), now);
      core.tick(now);
      core.drainTo(outbox);
      assertEquals(List.of(6L), outbox.failedReads);
    }

    @Test
    @DisplayName("§6.4: a leader that loses its office refuses what it was asked")
    void deposedLeaderRefuses() {
      lead(of(1, 2, 3));
      receive(new ReadIndex(THREE, SELF, 2, 40));
      receive(append(TWO, 3, 1, 2));
      assertFalse(sent(ReadIndexReply.class).get(0).confirmed());
      receive(new ReadIndex(THREE, SELF, 3, 41));
      assertFalse(sent(ReadIndexReply.class).get(0).confirmed());
    }
  }
}

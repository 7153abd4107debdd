// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.history.History;
import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.raft.EntryKind;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.runtime.Answered;
import dev.coordinator.server.runtime.CoordinatorNode;
import dev.coordinator.server.runtime.NodeException;
import dev.coordinator.server.runtime.PendingCall;
import dev.coordinator.server.wire.CommandCodec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/** A whole cluster with its clients in one thread: real node loops, everything else simulated. */
final class SimulatedCluster {

  private static final long MS = 1_000_000;

  private static final long MAX_STALL_NANOS = 3_000 * MS;

  /** The slowest disk of the phase without faults. */
  private static final long CALM_SYNC_NANOS = 20 * MS;

  private static final int WATCHERS = 2;

  private final Schedule schedule;
  private final Tuning tuning;
  private final Faults faults;
  private final Story story;
  private final Figures figures = new Figures();
  private final WrittenEntries written;
  private final Oracle oracle;
  private final Majorities majorities = new Majorities();
  private final Beliefs beliefs;
  private final History history;
  private final SimulatedNetwork network;
  private final Operator operator;
  private final List<SimulatedMember> members = new ArrayList<>();
  private final List<SimulatedWatcher> watchers = new ArrayList<>();
  private final Map<String, GuardedResource> resources = new TreeMap<>();

  /** Those that stay away for the first part of the calm. */
  private final List<SimulatedMember> absent = new ArrayList<>();

  private boolean calm;
  private boolean clientsStopped;
  private long calmRounds;
  private long elections;
  private SimulatedMember hint;

  /** A cluster of which everything is drawn. */
  static SimulatedCluster draw(RandomGenerator random, Story story) {
    Faults faults = Faults.draw(random);
    return new SimulatedCluster(random, Tuning.draw(random, faults.maxDelayMs()), faults, story);
  }

  SimulatedCluster(RandomGenerator random, Tuning tuning, Faults faults, Story story) {
    this.schedule = new Schedule(random);
    this.story = story;
    this.faults = faults;
    this.tuning = tuning;
    this.written = new WrittenEntries(schedule);
    this.oracle = new Oracle(schedule, written, faults.clockDrift(), figures);
    this.history = new History(schedule::nowNanos);
    this.beliefs = new Beliefs(faults.clockDrift());
    this.network = new SimulatedNetwork(schedule, faults, this::deliver, figures);
    List<NodeId> ids = new ArrayList<>();
    for (int i = 1; i <= tuning.members(); i++) {
      ids.add(new NodeId(i));
    }
    Membership bootstrap = new Membership(ids).founding();
    for (NodeId id : ids) {
      members.add(new SimulatedMember(this, id, bootstrap));
    }
    oracle.bootstrap(bootstrap);
    operator = new Operator(this);
    operator.start();
    hint = members.get(0);
    note("%s", tuning);
    note("%s", faults);
    members.forEach(SimulatedMember::start);
    for (int i = 1; i <= tuning.clients(); i++) {
      new SimulatedClient(this, i, drawClockRate()).start();
    }
    for (int i = 1; i <= WATCHERS; i++) {
      watchers.add(new SimulatedWatcher(this));
    }
    watchers.forEach(SimulatedWatcher::start);
  }

  // ------------------------------------------------------------------------------ what is inside

  Schedule schedule() {
    return schedule;
  }

  Tuning tuning() {
    return tuning;
  }

  Figures figures() {
    return figures;
  }

  Faults faults() {
    return faults;
  }

  Oracle oracle() {
    return oracle;
  }

  WrittenEntries written() {
    return written;
  }

  /** What clients did and were told. */
  History history() {
    return history;
  }

  Majorities majorities() {
    return majorities;
  }

  Beliefs beliefs() {
    return beliefs;
  }

  SimulatedNetwork network() {
    return network;
  }

  Operator operator() {
    return operator;
  }

  /** All that ever were, also those that have left the cluster. */
  List<SimulatedMember> members() {
    return members;
  }

  /** The voters of the configuration that was committed last. */
  List<SimulatedMember> voters() {
    return oracle.membership().allVoters().stream().map(this::member).toList();
  }

  /** Starts the process of a member that waits to be added. */
  SimulatedMember bringNewMember() {
    SimulatedMember added =
        new SimulatedMember(this, new NodeId(members.size() + 1), Membership.NONE);
    members.add(added);
    added.start();
    return added;
  }

  /** How likely a member crashes right after it sent this, when a mistake would show. */
  double crashAfter(RaftMessage message) {
    if (calm) {
      return 0;
    } else if (message instanceof RaftMessage.RequestVoteReply vote) {
      return vote.granted() && !vote.preVote() ? faults.crashAfterVote() : 0;
    } else if (message instanceof RaftMessage.AppendEntries append) {
      return append.entries().isEmpty()
          ? 0
          : changesMembers(append) ? faults.crashAfterChange() : faults.crashAfterAppend();
    }
    boolean confirmed =
        message instanceof RaftMessage.AppendEntriesReply append && append.success()
            || message instanceof RaftMessage.InstallSnapshotReply install && install.installed()
            || message instanceof RaftMessage.TimeoutNow;
    return confirmed ? faults.crashAfterReply() : 0;
  }

  private static boolean changesMembers(RaftMessage.AppendEntries append) {
    return append.entries().stream().anyMatch(entry -> entry.kind() == EntryKind.CONFIGURATION);
  }

  boolean watchersHaveSeenAll() {
    return watchers.stream().allMatch(SimulatedWatcher::hasSeenAll);
  }

  /** How far the watchers are, for people. */
  String describeWatchers() {
    return watchers.toString();
  }

  GuardedResource resource(String lock) {
    return resources.computeIfAbsent(lock, GuardedResource::new);
  }

  double drawClockRate() {
    return 1 + faults.clockDrift() * (2 * schedule.random().nextDouble() - 1);
  }

  void note(String format, Object... args) {
    story.tell(schedule.nowMs(), format, args);
  }

  long maxSyncNanos() {
    long nanos = faults.maxSyncMs() * MS;
    return calm ? Math.min(nanos, CALM_SYNC_NANOS) : nanos;
  }

  /** How the members stand, for people. */
  String describe() {
    StringBuilder text = new StringBuilder();
    for (SimulatedMember member : members) {
      text.append("  ").append(member.describe());
      List<NodeId> unheard = new ArrayList<>();
      for (SimulatedMember other : members) {
        if (network.isCut(other.id(), member.id())) {
          unheard.add(other.id());
        }
      }
      text.append(unheard.isEmpty() ? "" : ", does not hear " + unheard).append('\n');
    }
    return text.toString();
  }

  // -------------------------------------------------------------------------------- the running

  void run(long forMs) {
    long untilNanos = schedule.nowNanos() + forMs * MS;
    while (schedule.step(untilNanos)) {
      // Each step checks what it touched.
    }
  }

  /** Runs until a member has just become leader, but no longer than this. */
  void runToElection(long atMostMs) {
    long untilNanos = schedule.nowNanos() + atMostMs * MS;
    long electionsBefore = elections;
    while (elections == electionsBefore && schedule.step(untilNanos)) {
      // Whoever is elected may be the one that is missed in the calm.
    }
  }

  private void deliver(Letter letter) {
    RaftMessage message = letter.message();
    schedule.trace(message.from().value() * 31 + message.to().value() * 7 + message.term());
    member(message.to()).receive(letter);
  }

  SimulatedMember member(NodeId id) {
    return members.get((int) id.value() - 1);
  }

  // ------------------------------------------------------------------------------------- faults

  /** Returns whether it ran before. */
  boolean crashAndRestart(SimulatedMember member, boolean powerCut) {
    if (!member.isAlive()) {
      return false;
    }
    member.crash(powerCut);
    crashed(member);
    return true;
  }

  /** The others notice that a member is gone, and it comes back. */
  void crashed(SimulatedMember member) {
    members.forEach(other -> noticeLater(other, member.id()));
    restartLater(member);
  }

  void restartLater(SimulatedMember member) {
    schedule.after(
        schedule.delayNanos(5 * MS, faults.maxDownMs() * MS),
        () -> {
          if (!member.isAlive() && !member.refusesToStart() && !absent.contains(member)) {
            note("%s restarts", member);
            member.start();
          }
        });
  }

  /**
   * Flips bits on the disks of a member while it is down, or of its newest snapshot while it runs,
   * if the cluster can do without it.
   *
   * @return whether it befell this one
   */
  boolean damage(SimulatedMember victim) {
    if (!victim.hasLog() || !canLose(victim)) {
      return false;
    }
    if (schedule.random().nextBoolean() && victim.flipBitOfNewestSnapshot()) {
      return true;
    }
    crashAndRestart(victim, schedule.random().nextBoolean());
    victim.flipBits();
    return true;
  }

  /**
   * Takes all that a member knew, and lets it come back under its old identity, if the cluster can
   * do without it and knows it by its data directory.
   *
   * @return whether it befell this one
   */
  boolean wipe(SimulatedMember victim) {
    if (!canLose(victim) || !isRecorded(victim)) {
      return false;
    }
    note("%s loses its disks", victim);
    crashAndRestart(victim, true);
    victim.wipe();
    return true;
  }

  /**
   * What was promised must be known to enough others, under whatever configuration any of them goes
   * by. So voters are lost one at a time, and only when all of them go by the same configuration.
   * And one founder keeps its disks: a cluster begins with all founders, so none is lost before it
   * has, nor the last of them that knows that it has.
   */
  private boolean canLose(SimulatedMember victim) {
    Membership committed = oracle.membership();
    return !committed.isFounding()
        && committed.isVoter(victim.id())
        && committed.voters().size() >= 3
        && operator.isIdle()
        && founders().anyMatch(founder -> founder != victim && !founder.isLost())
        && voters().stream()
            .allMatch(
                voter ->
                    voter.isAlive()
                        && !voter.isLost()
                        && voter.loop().core().status().isMembershipSettled()
                        && voter.loop().core().status().membership().equals(committed));
  }

  private Stream<SimulatedMember> founders() {
    return members.stream().limit(tuning.members());
  }

  /** Whether everybody who goes by a configuration with this member would tell it from another. */
  private boolean isRecorded(SimulatedMember victim) {
    for (SimulatedMember member : members) {
      if (!member.isAlive()) {
        return false;
      }
      Membership present = member.loop().core().status().membership();
      // One that lost its disks goes by the founders' configuration, which decides nothing.
      boolean counts = present.contains(victim.id()) && !present.isFounding();
      if (counts && present.member(victim.id()).incarnation() == 0) {
        return false;
      }
    }
    return true;
  }

  /** Who was never told that it belongs to a cluster votes for nobody, and must not be needed. */
  void checkVotersKnowThemselves(Membership decided) {
    for (NodeId voter : decided.voters()) {
      SimulatedMember member = member(voter);
      boolean keeps = member.isAlive() && !member.isLost();
      if (keeps && member.loop().core().status().membership().isEmpty()) {
        throw new Violation("%s is made a voter, but does not know of any cluster", member);
      }
    }
  }

  /** Most broken connections are noticed at once, some only by silence. */
  void noticeLater(SimulatedMember who, NodeId lost) {
    if (schedule.chance(0.8)) {
      schedule.after(schedule.delayNanos(100_000, 20 * MS), () -> who.disconnected(lost));
    }
  }

  /** A member has just become leader and has sent nothing yet. */
  void leads(SimulatedMember leader) {
    elections++;
    if (!calm && schedule.chance(faults.muteNewLeader())) {
      figures.fault(FaultKind.MUTE_LEADER);
      List<NodeId> order = new ArrayList<>();
      order.add(leader.id());
      members.stream().filter(other -> other != leader).forEach(other -> order.add(other.id()));
      Partition mute = Partition.oneWay(network, order, false);
      note("the network: %s", mute);
      mute.close();
      schedule.after(schedule.delayNanos(100 * MS, 3_000 * MS), mute::open);
    }
  }

  /** From here on nothing goes wrong any more, and everybody is back who can be. */
  void calm() {
    note("calm");
    calm = true;
    operator.stop();
    network.calm();
    for (SimulatedMember member : members) {
      member.calm();
      if (!member.isAlive()) {
        member.start();
      }
    }
    List<SimulatedMember> order = new ArrayList<>(voters());
    Collections.shuffle(order, new Random(schedule.random().nextLong()));
    order.sort(Comparator.comparing(voter -> !voter.isLeader()));
    int handicap = schedule.random().nextInt(4);
    if (isSettled(order) && handicap < 2) {
      keepAway(order.subList(0, (order.size() - 1) / 2));
    } else if (isSettled(order) && handicap == 2) {
      keepSomeWaysCut(order.stream().map(SimulatedMember::id).toList());
    }
  }

  private boolean isSettled(List<SimulatedMember> voters) {
    Membership committed = oracle.membership();
    return !committed.isFounding()
        && !committed.isJoint()
        && voters.stream()
            .allMatch(
                voter ->
                    voter.isAlive()
                        && !voter.isLost()
                        && voter.loop().core().status().membership().equals(committed));
  }

  /** A majority must recover alone: others, leaders above all, may stay down for long. */
  private void keepAway(List<SimulatedMember> some) {
    absent.addAll(some);
    absent.forEach(member -> member.crash(false));
  }

  /** Some member that hears, and is heard by, a majority must be found, and stay. */
  private void keepSomeWaysCut(List<NodeId> order) {
    Partition partition =
        switch (schedule.random().nextInt(4)) {
          case 0 -> Partition.oneWay(network, order, true);
          case 1 -> Partition.oneWay(network, order, false);
          case 2 -> Partition.bridge(network, order);
          default -> Partition.ringOrBridge(network, order);
        };
    note("the network, although all is calm: %s", partition);
    partition.closeInCalm();
  }

  /** Whether it is away although everything is calm. */
  boolean isAbsent(SimulatedMember member) {
    return absent.contains(member);
  }

  /** Whether all that are there hear each other. */
  boolean isWhole() {
    return !network.isCutInCalm();
  }

  /** Somebody goes by another configuration, whose majority may need those that are away. */
  void membersChange() {
    if (!absent.isEmpty() || !isWhole()) {
      schedule.after(0, this::bringAllBack);
    }
  }

  void bringAllBack() {
    network.joinInCalm();
    List<SimulatedMember> back = List.copyOf(absent);
    absent.clear();
    back.forEach(SimulatedMember::start);
  }

  boolean isCalm() {
    return calm;
  }

  void stopClients() {
    note("the clients stop");
    clientsStopped = true;
  }

  boolean clientsAreStopped() {
    return clientsStopped;
  }

  /** A client took a lock and gave it back, all of that in the calm. */
  void roundInCalm() {
    calmRounds++;
  }

  long roundsInCalm() {
    return calmRounds;
  }

  // ------------------------------------------------------------------------------ what clients do

  /** Sends a command to some member. Either consumer is called at most once, perhaps neither. */
  Runnable submit(
      Command command, Consumer<Answered<Outcome>> onAnswer, Consumer<NodeException> onRefusal) {
    byte[] payload = CommandCodec.encode(command);
    SimulatedMember target = pick();
    PendingCall[] sent = new PendingCall[1];
    CoordinatorNode[] at = new CoordinatorNode[1];
    travelOrStall(
        () -> {
          if (target.isAlive()) {
            at[0] = target.node();
            sent[0] = at[0].submit(command);
            answerLater(
                target,
                sent[0].future(),
                answer -> {
                  figures.acknowledged();
                  if (sent[0].index() > 0) { // Not for a wait that was cancelled before.
                    oracle.acknowledged(sent[0].index(), payload);
                  }
                  onAnswer.accept(answer);
                },
                onRefusal);
          }
        });
    return () ->
        travel(
            () -> {
              if (at[0] != null
                  && at[0] == target.node()
                  && command instanceof Command.AcquireLock acquire) {
                at[0].cancelWait(acquire.name(), sent[0]);
              }
            });
  }

  /** Asks some member. Either consumer is called at most once, perhaps neither. */
  <T> void call(
      Function<CoordinatorNode, CompletableFuture<Answered<T>>> question,
      Consumer<Answered<T>> onAnswer,
      Consumer<NodeException> onRefusal) {
    SimulatedMember target = pick();
    call(target, question, onAnswer, onRefusal);
  }

  /** Asks a member that may not lead. Either consumer is called at most once, perhaps neither. */
  <T> void callAny(
      Function<CoordinatorNode, CompletableFuture<Answered<T>>> question,
      Consumer<Answered<T>> onAnswer,
      Consumer<NodeException> onRefusal) {
    call(members.get(schedule.random().nextInt(members.size())), question, onAnswer, onRefusal);
  }

  private <T> void call(
      SimulatedMember target,
      Function<CoordinatorNode, CompletableFuture<Answered<T>>> question,
      Consumer<Answered<T>> onAnswer,
      Consumer<NodeException> onRefusal) {
    travel(
        () -> {
          if (target.isAlive()) {
            answerLater(target, question.apply(target.node()), onAnswer, onRefusal);
          }
        });
  }

  private <T> void answerLater(
      SimulatedMember from,
      CompletableFuture<Answered<T>> future,
      Consumer<Answered<T>> onAnswer,
      Consumer<NodeException> onRefusal) {
    // Not whenComplete, whose own future would wrap each refusal, with a stack trace.
    future.handle(
        (answer, failure) -> {
          travel(
              () -> {
                if (failure == null) {
                  hint = from;
                  onAnswer.accept(answer);
                } else {
                  NodeException why = (NodeException) failure;
                  if (!why.leader().isNone()) {
                    hint = member(why.leader());
                  }
                  onRefusal.accept(why);
                }
              });
          return null;
        });
  }

  private SimulatedMember pick() {
    return schedule.chance(0.8) ? hint : members.get(schedule.random().nextInt(members.size()));
  }

  private void travelOrStall(Runnable arrival) {
    if (!calm && schedule.chance(faults.stall())) {
      figures.stalled();
      schedule.after(schedule.random().nextLong(MAX_STALL_NANOS), arrival);
    } else {
      travel(arrival);
    }
  }

  private void travel(Runnable arrival) {
    if (!schedule.chance(faults.loss() / 2)) {
      schedule.after(schedule.delayNanos(50_000, faults.maxDelayMs() * MS), arrival);
    }
  }
}

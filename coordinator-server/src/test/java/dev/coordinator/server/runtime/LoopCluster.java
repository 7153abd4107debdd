// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.CoordinatorMachine;
import dev.coordinator.server.machine.MachineState;
import dev.coordinator.server.metrics.NodeMetrics;
import dev.coordinator.server.ports.LogStore;
import dev.coordinator.server.ports.PeerSender;
import dev.coordinator.server.raft.Entry;
import dev.coordinator.server.raft.HardState;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.RaftTrace;
import dev.coordinator.server.raft.RestoredState;
import dev.coordinator.server.raft.RoleKind;
import dev.coordinator.server.raft.Sender;
import dev.coordinator.server.raft.WriteBatch;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;

/**
 * Some members in one thread on one clock that moves only when told: real loops, with links and
 * disks that do nothing by themselves. Messages arrive and disks finish in the moment they are
 * asked, unless a test cuts or holds them.
 */
final class LoopCluster {

  private static final long NANOS_PER_MS = 1_000_000;

  private final Map<Long, Member> members = new TreeMap<>();
  private final Set<List<Long>> cutLinks = new HashSet<>();
  private final Map<LogPosition, MachineState> snapshotStates = new HashMap<>();
  private final NodeSettings settings;
  private final Membership membership;

  /** Not zero, so that nothing depends on where the clock begins. */
  private long nowNanos = 1_000_000 * NANOS_PER_MS;

  LoopCluster(int size, NodeSettings settings) {
    this.settings = settings;
    this.membership =
        new Membership(LongStream.rangeClosed(1, size).mapToObj(NodeId::new).toList()).founding();
    for (NodeId id : membership.voters()) {
      members.put(id.value(), new Member(id, membership));
    }
  }

  LoopCluster(int size) {
    this(size, NodeSettings.DEFAULT);
  }

  /** Starts a member that waits to be added to the cluster. */
  Member join(NodeId id) {
    Member member = new Member(id, Membership.NONE);
    members.put(id.value(), member);
    return member;
  }

  Member member(long id) {
    return members.get(id);
  }

  List<Member> others(Member member) {
    return members.values().stream().filter(other -> other != member).toList();
  }

  /** Runs until there is a leader whose term the others follow. */
  Member elect() {
    runUntil(
        () ->
            leaders() == 1
                && members.values().stream()
                    .allMatch(member -> member.node.leader().equals(leader().id)));
    return leader();
  }

  /** The leader of the highest term. */
  Member leader() {
    return members.values().stream()
        .filter(member -> member.node.isLeader())
        .max((a, b) -> Long.compare(a.term(), b.term()))
        .orElseThrow();
  }

  private long leaders() {
    return members.values().stream().filter(member -> member.node.isLeader()).count();
  }

  /** Messages from one to the other are lost from now on. */
  void cut(Member from, Member to) {
    cutLinks.add(List.of(from.id.value(), to.id.value()));
  }

  /** Cuts a member off from all others. */
  void isolate(Member member) {
    for (Member other : others(member)) {
      cut(member, other);
      cut(other, member);
    }
  }

  void heal() {
    cutLinks.clear();
  }

  long nowMs() {
    return nowNanos / NANOS_PER_MS;
  }

  /** Lets every member do what it can do at this moment. */
  void settle() {
    boolean busy;
    int rounds = 0;
    do {
      busy = false;
      for (Member member : members.values()) {
        if (!member.stopped && (!member.mailbox.isEmpty() || member.nextNanos <= nowNanos)) {
          member.runOnce();
          busy = true;
        }
      }
      if (++rounds > 100_000) {
        throw new AssertionError("the cluster does not come to rest");
      }
    } while (busy);
  }

  /** Moves the clock on, stopping at every moment at which a member wants to run. */
  void run(long durationMs) {
    long endNanos = nowNanos + durationMs * NANOS_PER_MS;
    settle();
    while (nowNanos < endNanos) {
      long nextNanos = endNanos;
      for (Member member : members.values()) {
        if (!member.stopped) {
          nextNanos = Math.min(nextNanos, member.nextNanos);
        }
      }
      nowNanos = Math.max(nowNanos + 1, nextNanos);
      settle();
    }
  }

  /** Moves the clock on without letting anybody run, as if the machine had been paused. */
  void pause(long durationMs) {
    nowNanos += durationMs * NANOS_PER_MS;
  }

  void runUntil(BooleanSupplier condition) {
    settle();
    for (int waitedMs = 0; !condition.getAsBoolean(); waitedMs++) {
      if (waitedMs > 60_000) {
        throw new AssertionError("did not happen within a minute of the cluster's time");
      }
      run(1);
    }
  }

  /** A member, what it has on its disk, and what others may do to it. */
  final class Member {
    final NodeId id;
    private final Membership bootstrap;
    private long incarnation;
    final ManualLog disk = new ManualLog();
    final MemorySnapshots snapshots;
    MeterRegistry registry;
    Mailbox mailbox;
    NodeLoop loop;
    CoordinatorNode node;
    long nextNanos;
    boolean stopped;

    /** Tasks for the reply executor are run at once. */
    Executor replies = Runnable::run;

    private Member(NodeId id, Membership bootstrap) {
      this.id = id;
      this.bootstrap = bootstrap;
      incarnation = id.value();
      snapshots = new MemorySnapshots(id, snapshotStates);
      start();
    }

    private void start() {
      registry = new SimpleMeterRegistry();
      NodeMetrics metrics =
          NodeMetrics.register(registry, Arrays.stream(RoleKind.values()).map(Enum::name).toList());
      mailbox = new Mailbox(settings.limits().maxQueuedInputs(), 10_000, metrics.loop());
      snapshots.reportTo(mailbox);
      NodePorts ports =
          new NodePorts(
              mailbox,
              disk,
              snapshots,
              new Outlet(),
              () -> nowNanos,
              new SplittableRandom(id.value()),
              task -> replies.execute(task),
              Runnable::run,
              RaftTrace.NONE);
      loop =
          new NodeLoop(
              new MemberState(
                  id,
                  new RestoredState(
                      bootstrap,
                      disk.hardState,
                      snapshots.meta,
                      disk.base,
                      List.copyOf(disk.entries),
                      incarnation),
                  snapshots.state == null ? null : new CoordinatorMachine(snapshots.state)),
              settings,
              ports,
              metrics,
              nowNanos);
      node = new CoordinatorNode(loop);
      nextNanos = nowNanos;
      stopped = false;
    }

    void runOnce() {
      nextNanos = loop.runOnce(nowNanos);
    }

    /** Ends the loop in an orderly way; the disk stays. */
    void stop() {
      loop.stop("the test stops the member");
      stopped = true;
    }

    /** Loses its disk as well, and starts with an empty one, which is another incarnation. */
    void wipe() {
      incarnation += 100;
      disk.wipe();
      restart();
    }

    /** Loses everything that is not on the disk, and starts again. */
    void restart() {
      stopped = true;
      disk.unreported.clear();
      start();
    }

    long term() {
      return loop.core().status().term();
    }

    long applied() {
      return loop.core().status().applied();
    }

    /** The whole state as text, to compare members by. */
    String state() {
      StringBuilder text = new StringBuilder();
      loop.machine().describe(text);
      return text.toString();
    }

    /** The way out to the others. */
    private final class Outlet implements PeerSender {
      private Sender self = Sender.UNKNOWN;

      @Override
      public void configure(Sender newSelf, Membership configuration) {
        self = newSelf;
      }

      @Override
      public void send(RaftMessage message) {
        Member target = members.get(message.to().value());
        if (target != null
            && !target.stopped
            && !cutLinks.contains(List.of(id.value(), message.to().value()))) {
          target.mailbox.receive(self, message);
        }
      }
    }

    /** A disk that keeps what it is given and reports it durable at once, or when told. */
    final class ManualLog implements LogStore {
      private final List<Entry> entries = new ArrayList<>();
      private final Queue<WriteBatch> unreported = new ArrayDeque<>();
      private HardState hardState = HardState.INITIAL;
      private LogPosition base = LogPosition.START;
      final List<WriteBatch> batches = new ArrayList<>();
      boolean held;

      @Override
      public void append(WriteBatch batch) {
        batches.add(batch);
        unreported.add(batch);
        if (!held) {
          release();
        }
      }

      /** Makes everything durable that is waiting. */
      void release() {
        while (!unreported.isEmpty()) {
          WriteBatch batch = unreported.remove();
          write(batch);
          mailbox.persisted(batch.number());
        }
      }

      private void write(WriteBatch batch) {
        if (batch.hardState() != null) {
          hardState = batch.hardState();
        }
        if (batch.base() != null) {
          base = batch.base();
          entries.clear();
        }
        if (!batch.entries().isEmpty()) {
          int keep = (int) (batch.entries().get(0).index() - base.index() - 1);
          entries.subList(keep, entries.size()).clear();
          entries.addAll(batch.entries());
        }
      }

      @Override
      public void dropUpTo(long index) {
        if (index <= base.index()) {
          return;
        }
        List<Entry> dropped = entries.subList(0, (int) (index - base.index()));
        base = new LogPosition(index, dropped.get(dropped.size() - 1).term());
        dropped.clear();
      }

      private void wipe() {
        entries.clear();
        hardState = HardState.INITIAL;
        base = LogPosition.START;
      }

      /** How many entries are in it. */
      int size() {
        return entries.size();
      }
    }
  }
}

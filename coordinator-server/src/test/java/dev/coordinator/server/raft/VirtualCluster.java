// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static dev.coordinator.server.raft.RaftInvariantViolation.invariant;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.random.RandomGenerator;

/**
 * A cluster of cores in one thread, with virtual time, network and disks. After each input every
 * invariant is checked.
 */
final class VirtualCluster {

  /** Decides when each copy of a message arrives: no delay at all means that it is lost. */
  interface Network {
    long[] delaysMs(RaftMessage message);
  }

  private record Happening(long atMs, long number, Runnable action) {}

  private record DiskWrite(WriteBatch batch, List<RaftMessage> held, long dropUpTo) {}

  /** One member: a core while it runs, and a disk that outlives it. */
  final class Node {
    final NodeId id;

    /** What it begins with when its disk is empty. */
    Membership bootstrap;

    VirtualDisk disk = new VirtualDisk();

    /** Which disk it has; the protocol knows only if {@link #tellsIncarnations}. */
    private long incarnation;

    long diskMs = 5;

    /** How long it takes to store a snapshot or a part of one. */
    long snapshotDiskMs = 5;

    boolean ticks = true;
    RaftCore core;

    private final RandomGenerator random;
    private final Outbox outbox = new Outbox();
    private final Deque<DiskWrite> writes = new ArrayDeque<>();
    private RaftInvariants invariants;
    private final Deque<Runnable> arrived = new ArrayDeque<>();
    private boolean paused;
    private int life;
    private long diskFreeAtMs;
    private long snapshotDiskFreeAtMs;
    private boolean takesSnapshot;
    private long wakeupMs;

    // The state machine: up to where it has applied, and what came of it.
    private long stateIndex;
    private long state;

    /** A snapshot of the leader that is to replace the state. */
    private VirtualSnapshots.Stored received;

    Node(NodeId id, Membership bootstrap, RandomGenerator random) {
      this.id = id;
      this.bootstrap = bootstrap;
      incarnation = 100 * id.value();
      this.random = random;
    }

    boolean isUp() {
      return core != null;
    }

    void start() {
      life++;
      invariants = new RaftInvariants();
      wakeupMs = Long.MAX_VALUE;
      diskFreeAtMs = nowMs;
      snapshotDiskFreeAtMs = nowMs;
      takesSnapshot = false;
      takeOver(disk.snapshots.newest());
      core =
          new RaftCore(
              config,
              id,
              tellsIncarnations
                  ? disk.restore(bootstrap.founding(), incarnation)
                  : disk.restore(bootstrap, 0),
              random,
              traces.apply(id),
              nowMs);
      after();
    }

    private void takeOver(VirtualSnapshots.Stored snapshot) {
      stateIndex = snapshot == null ? 0 : snapshot.meta().index();
      state = snapshot == null ? 0 : snapshot.state();
    }

    /** Stops the member; the oldest writes on their way may still reach the disk. */
    void crash(int survivingWrites) {
      for (int i = 0; i < survivingWrites && !writes.isEmpty(); i++) {
        store(writes.removeFirst());
      }
      core = null;
      life++;
      writes.clear();
      disk.snapshots.crash();
    }

    /** Stops the member and takes its disk away; it may start again with an empty one. */
    void wipe() {
      crash(0);
      disk = new VirtualDisk();
      incarnation++;
    }

    /** Whether the member would be recognised with the disk that it has. */
    boolean isRecordedIn(Membership membership) {
      return membership.contains(id) && membership.member(id).incarnation() == incarnation;
    }

    private void store(DiskWrite write) {
      if (write.batch() != null) {
        disk.store(write.batch());
      }
      disk.dropUpTo(write.dropUpTo());
    }

    /** How many writes wait for the disk. */
    int backlog() {
      return writes.size();
    }

    /** Takes a snapshot if something was applied since the newest one. */
    void takeSnapshot() {
      if (takesSnapshot || stateIndex == core.status().snapshot()) {
        return;
      }
      takesSnapshot = true;
      SnapshotMeta meta = core.snapshotMeta();
      long frozen = state;
      onSnapshotDisk(
          () -> {
            takesSnapshot = false;
            disk.snapshots.save(meta, frozen);
            core.snapshotTaken(meta, nowMs);
            after();
          });
    }

    private void onSnapshotDisk(Runnable action) {
      snapshotDiskFreeAtMs = Math.max(snapshotDiskFreeAtMs, nowMs) + snapshotDiskMs;
      at(snapshotDiskFreeAtMs, whileAlive(action));
    }

    private void readChunk(Outbox.ChunkRequest request) {
      RaftMessage.InstallSnapshot chunk = disk.snapshots.read(id, request, chunkBytes);
      if (chunk == null) {
        core.snapshotGone(request, nowMs);
        after();
      } else if (core.isLeader() && core.status().term() == request.term()) {
        send(chunk);
      }
    }

    private void storeChunk(RaftMessage.InstallSnapshot chunk) {
      long nextOffset = disk.snapshots.add(chunk);
      received = disk.snapshots.finish();
      if (received == null) {
        core.chunkStored(chunk, nextOffset, nowMs);
      } else {
        core.snapshotReceived(chunk, nowMs);
      }
      after();
    }

    /** Carries out what the last input asked for. */
    private void after() {
      core.drainTo(outbox);
      outbox.messages.forEach(this::send);
      if (outbox.batch != null
          || !outbox.messagesAfterPersist.isEmpty()
          || outbox.compactedTo > 0) {
        writes.addLast(
            new DiskWrite(
                outbox.batch, List.copyOf(outbox.messagesAfterPersist), outbox.compactedTo));
        diskFreeAtMs = Math.max(diskFreeAtMs, nowMs) + (outbox.batch == null ? 0 : diskMs);
        at(diskFreeAtMs, whileAlive(this::written));
      }
      for (Outbox.SafeRead read : outbox.safeReads) {
        clusterInvariants.readSafe(read.id(), read.index());
      }
      outbox.chunkRequests.forEach(request -> at(nowMs + 1, whileAlive(() -> readChunk(request))));
      outbox.receivedChunks.forEach(chunk -> onSnapshotDisk(() -> storeChunk(chunk)));
      apply();
      invariants.check(core);
      clusterInvariants.check(core, cores());
      clusterInvariants.state(stateIndex, state);
      wakeAt(outbox.nextWakeupMs);
    }

    private void apply() {
      if (outbox.installed != null) {
        invariant(
            outbox.installed.equals(received.meta()),
            "the snapshot %s takes over after %s was received",
            outbox.installed,
            received.meta());
        takeOver(received);
      }
      for (Entry entry : outbox.committedEntries) {
        invariant(entry.index() == stateIndex + 1, "%s is applied after %d", entry, stateIndex);
        stateIndex = entry.index();
        state = ClusterInvariants.stateAfter(state, entry);
      }
      if (!outbox.committedEntries.isEmpty()) {
        core.applied(stateIndex);
      }
    }

    private void send(RaftMessage message) {
      Sender sender = core.speaksAs();
      clusterInvariants.sent(incarnation, message);
      for (long delayMs : network.delaysMs(message)) {
        at(
            nowMs + delayMs,
            () -> {
              if (nodes.containsKey(message.to())) {
                nodes.get(message.to()).receive(sender, message);
              }
            });
      }
    }

    private void written() {
      DiskWrite write = writes.removeFirst();
      store(write);
      write.held().forEach(this::send);
      if (write.batch() != null) {
        core.persisted(write.batch().number(), nowMs);
        after();
      }
    }

    private void wakeAt(long timeMs) {
      if (timeMs != wakeupMs) {
        wakeupMs = timeMs;
        at(
            Math.max(timeMs, nowMs),
            whileAlive(
                () -> {
                  if (wakeupMs == timeMs) {
                    wakeupMs = Long.MAX_VALUE;
                    tick();
                  }
                }));
      }
    }

    private void tick() {
      if (ticks) {
        core.tick(nowMs);
        after();
      }
    }

    /** Lets time pass again for a member that was held back. */
    void resumeTicks() {
      ticks = true;
      if (isUp()) {
        tick();
      }
    }

    /** Holds the member back, as a long stop of its process would. */
    void pause() {
      paused = true;
    }

    /** Lets the member go on, first with what arrived meanwhile. */
    void resume() {
      paused = false;
      while (!arrived.isEmpty()) {
        arrived.removeFirst().run();
      }
    }

    private void receive(Sender sender, RaftMessage message) {
      whenNotPaused(
          () -> {
            if (isUp()) {
              core.receive(sender, message, nowMs);
              after();
            }
          });
    }

    private Runnable whileAlive(Runnable action) {
      int now = life;
      return () ->
          whenNotPaused(
              () -> {
                if (life == now && isUp()) {
                  action.run();
                }
              });
    }

    private void whenNotPaused(Runnable action) {
      if (paused) {
        arrived.addLast(action);
      } else {
        action.run();
      }
    }
  }

  /** Whether members tell which disk they have. */
  boolean tellsIncarnations;

  /** The most bytes in a part of a snapshot. */
  int chunkBytes = 16;

  private final RaftConfig config;
  private final Network network;
  private final LongFunction<RandomGenerator> randoms;
  private final Function<NodeId, RaftTrace> traces;
  private final Map<NodeId, Node> nodes = new TreeMap<>();
  private final ClusterInvariants clusterInvariants = new ClusterInvariants();
  private final PriorityQueue<Happening> queue =
      new PriorityQueue<>(
          Comparator.comparingLong(Happening::atMs).thenComparingLong(Happening::number));
  private long happenings;
  private long nowMs;

  VirtualCluster(
      int size,
      RaftConfig config,
      Network network,
      LongFunction<RandomGenerator> randoms,
      Function<NodeId, RaftTrace> traces) {
    this.config = config;
    this.network = network;
    this.randoms = randoms;
    this.traces = traces;
    List<NodeId> founders = new ArrayList<>();
    for (long i = 1; i <= size; i++) {
      founders.add(new NodeId(i));
    }
    for (NodeId id : founders) {
      nodes.put(id, new Node(id, new Membership(founders), randoms.apply(id.value())));
    }
  }

  long nowMs() {
    return nowMs;
  }

  Node node(long id) {
    return nodes.get(new NodeId(id));
  }

  Collection<Node> nodes() {
    return nodes.values();
  }

  ClusterInvariants invariants() {
    return clusterInvariants;
  }

  void startAll() {
    nodes.values().forEach(Node::start);
  }

  /** Makes a member that waits to be added. */
  Node join(long id) {
    Node node = new Node(new NodeId(id), Membership.NONE, randoms.apply(id));
    nodes.put(node.id, node);
    node.start();
    return node;
  }

  /** Asks a member to change the configuration. */
  ChangeAnswer change(Node node, MembershipChange change) {
    ChangeAnswer answer = node.core.changeMembership(change, nowMs);
    node.after();
    return answer;
  }

  /** Asks a member to hand over leadership. */
  Refusal transfer(Node node, NodeId target) {
    Refusal refusal = node.core.transferLeadership(target, nowMs);
    node.after();
    return refusal;
  }

  /** The leader of the newest term, or null. */
  Node leader() {
    Node newest = null;
    for (Node node : nodes.values()) {
      if (node.isUp()
          && node.core.isLeader()
          && (newest == null || node.core.status().term() > newest.core.status().term())) {
        newest = node;
      }
    }
    return newest;
  }

  /** Proposes on a member that leads, all at once. */
  void propose(Node node, byte[]... payloads) {
    for (byte[] payload : payloads) {
      node.core.propose(payload, nowMs);
    }
    node.after();
  }

  /** Asks a member for safe reads, all at once. */
  void read(Node node, long... ids) {
    for (long id : ids) {
      clusterInvariants.readAsked(id);
      node.core.read(id, nowMs);
    }
    node.after();
  }

  void disconnect(Node node, NodeId peer) {
    node.core.disconnected(peer, nowMs);
    node.after();
  }

  /** Lets virtual time pass. */
  void run(long durationMs) {
    long endMs = nowMs + durationMs;
    while (!queue.isEmpty() && queue.peek().atMs() <= endMs) {
      step();
    }
    nowMs = endMs;
  }

  /** Lets the next thing happen. */
  void step() {
    Happening next = queue.remove();
    nowMs = Math.max(nowMs, next.atMs());
    next.action().run();
  }

  void at(long timeMs, Runnable action) {
    queue.add(new Happening(timeMs, happenings++, action));
  }

  private List<RaftCore> cores() {
    List<RaftCore> cores = new ArrayList<>();
    for (Node node : nodes.values()) {
      if (node.isUp()) {
        cores.add(node.core);
      }
    }
    return cores;
  }
}

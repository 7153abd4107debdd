// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Small clusters in a bad world: messages are lost, doubled and reordered, members crash with half
 * of their writes, pause and are cut off. All invariants are checked after every event, and at the
 * end, in a good world, everybody must agree. {@code -Draft.seed=N} replays one run, {@code
 * -Draft.runs=N} plays more of them.
 */
class RaftRandomTest {

  private static final long BAD_MS = 20_000;
  private static final long GOOD_MS = 10_000;

  /** How often snapshots of a leader took over, and how. */
  private static final class Installs implements RaftTrace {
    int kept;
    int discarded;
    int notNeeded;

    @Override
    public void snapshotInstalled(long nowMs, SnapshotMeta snapshot, boolean logDiscarded) {
      if (logDiscarded) {
        discarded++;
      } else {
        kept++;
      }
    }

    @Override
    public void snapshotNotNeeded(long nowMs, SnapshotMeta snapshot) {
      notNeeded++;
    }

    @Override
    public String toString() {
      return discarded + " discarded, " + kept + " kept the log, " + notNeeded + " changed nothing";
    }
  }

  /** One run, decided by its seed. */
  private static final class World {
    final Random random;
    final VirtualCluster cluster;
    final int size;

    /** Out of so many happenings, 23 are bad luck or snapshots, and the rest requests. */
    final int calm;

    final BadNetwork network;
    long reads;

    World(long seed, int size, Installs installs) {
      random = new Random(seed);
      this.size = size;
      network = new BadNetwork(random, random.nextInt(4) * 0.07);
      calm = 40 << random.nextInt(4);
      RaftConfig config =
          new RaftConfig(
              300,
              40,
              10,
              64,
              1 + random.nextInt(8),
              1 + random.nextInt(4),
              20,
              random.nextInt(3) * random.nextInt(20),
              random.nextInt(3),
              100);
      cluster =
          new VirtualCluster(
              size, config, network::delaysMs, id -> new Random(seed * 31 + id), id -> installs);
      cluster.chunkBytes = 4 + random.nextInt(40);
    }

    void play() {
      cluster.startAll();
      while (cluster.nowMs() < BAD_MS) {
        cluster.run(random.nextInt(30));
        disturb(cluster.node(random.nextLong(1, size + 1L)));
      }
      network.heal();
      for (VirtualCluster.Node node : cluster.nodes()) {
        node.diskMs = 1;
        node.snapshotDiskMs = 1;
        node.resume();
        if (!node.isUp()) {
          node.start();
        }
      }
      cluster.run(GOOD_MS / 2);
      VirtualCluster.Node leader = cluster.leader();
      assertTrue(leader != null, "nobody leads in a good world");
      cluster.propose(leader, new byte[] {42});
      cluster.run(GOOD_MS / 2);
      checkAgreement();
    }

    private void disturb(VirtualCluster.Node node) {
      switch (random.nextInt(calm)) {
        case 0, 1 -> {
          if (node.isUp()) {
            node.crash(random.nextInt(3));
          }
        }
        case 2, 3, 4, 5 -> {
          if (!node.isUp()) {
            node.start();
          }
        }
        case 6 -> network.cutOff.add(node.id);
        case 7, 8 -> network.cutOff.clear();
        case 9 -> node.pause();
        case 10, 11, 12, 13 -> node.resume();
        case 14 -> {
          node.diskMs = random.nextLong(1, 401);
          node.snapshotDiskMs = random.nextLong(1, 401);
        }
        case 15, 16, 17 -> {
          node.diskMs = random.nextLong(1, 6);
          node.snapshotDiskMs = random.nextLong(1, 31);
        }
        case 18 -> {
          if (node.isUp()) {
            cluster.disconnect(node, new NodeId(random.nextLong(1, size + 1L)));
          }
        }
        case 19 -> isolateLeader();
        case 20, 21, 22 -> {
          if (node.isUp()) {
            node.takeSnapshot();
          }
        }
        default -> request(node);
      }
    }

    /** Everybody but the leader notices at once, so it leads on while they elect another. */
    private void isolateLeader() {
      VirtualCluster.Node leader = cluster.leader();
      if (leader != null) {
        network.cutOff.add(leader.id);
        for (VirtualCluster.Node node : cluster.nodes()) {
          if (node.isUp() && node != leader) {
            cluster.disconnect(node, leader.id);
          }
        }
      }
    }

    private void request(VirtualCluster.Node node) {
      // A disk writes one batch after the other, and must be through with them in the good world.
      if (node.isUp() && node.core.isLeader() && node.backlog() < 8) {
        if (random.nextInt(4) == 0) {
          reads += 2;
          cluster.read(node, reads - 1, reads);
        } else {
          byte[][] payloads = new byte[1 + random.nextInt(4)][random.nextInt(40)];
          for (byte[] payload : payloads) {
            random.nextBytes(payload);
          }
          cluster.propose(node, payloads);
        }
      }
    }

    private void checkAgreement() {
      List<RaftStatus> all = cluster.nodes().stream().map(node -> node.core.status()).toList();
      RaftStatus first = all.get(0);
      for (RaftStatus status : all) {
        assertEquals(first.term(), status.term(), all::toString);
        assertEquals(first.last(), status.committed(), all::toString);
        assertEquals(first.last(), status.durable(), all::toString);
        assertEquals(first.leader(), status.leader(), all::toString);
      }
    }
  }

  @ParameterizedTest(name = "{0} members")
  @ValueSource(ints = {1, 2, 3, 5})
  @DisplayName("Figure 3.2 holds in a bad world, and a good one heals")
  void safeAndLive(int size) {
    Long only = Long.getLong("raft.seed");
    long runs = only == null ? Long.getLong("raft.runs", size < 3 ? 3 : 24) : 1;
    long first = only == null ? 1 : only;
    long committed = 0;
    Installs installs = new Installs();
    for (long seed = first; seed < first + runs; seed++) {
      World world = new World(seed, size, installs);
      try {
        world.play();
      } catch (RuntimeException | AssertionError | RaftInvariantViolation e) {
        throw new AssertionError(
            size + " members, replay with -Draft.seed=" + seed + ": " + e.getMessage(), e);
      }
      committed += world.cluster.invariants().committed();
    }
    assertTrue(committed > runs * 10, "only " + committed + " entries in " + runs + " runs");
    boolean enough =
        size < 3 || runs < 10 || installs.discarded > runs / 2 && installs.notNeeded > 0;
    assertTrue(enough, installs::toString);
  }

  @Test
  @DisplayName("The same seed gives the same run")
  void repeatable() {
    World one = new World(7, 3, new Installs());
    World other = new World(7, 3, new Installs());
    one.play();
    other.play();
    assertEquals(
        one.cluster.node(1).core.status(), other.cluster.node(1).core.status(), "status of 1");
    assertEquals(one.cluster.node(2).disk.entries, other.cluster.node(2).disk.entries, "disk of 2");
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Clusters that change their members all the time in a bad world: members join, are promoted,
 * replaced and removed, leadership is handed over, disks are lost, while messages and members are.
 * All invariants are checked after every event, and at the end, in a good world, everybody in the
 * configuration must agree. {@code -Draft.seed=N} replays one run, {@code -Draft.runs=N} plays
 * more.
 */
class MembershipRandomTest {

  private static final long BAD_MS = 20_000;
  private static final long GOOD_MS = 10_000;
  private static final long ELECTION_TIMEOUT_MS = 300;
  private static final int MOST_MEMBERS = 7;

  /** What happened in all runs, so that a test that never gets anywhere is noticed. */
  private static final class Counts implements RaftTrace {
    int changes;
    int joint;
    int transfers;
    int wiped;
    int followerReads;

    @Override
    public void transferStarted(long nowMs, NodeId target) {
      transfers++;
    }

    @Override
    public String toString() {
      return changes
          + " changes, "
          + joint
          + " of them joint, "
          + transfers
          + " transfers, "
          + wiped
          + " disks lost, "
          + followerReads
          + " reads on followers";
    }
  }

  /** One run, decided by its seed. */
  private static final class World {
    final Random random;
    final VirtualCluster cluster;
    final Counts counts;

    /** What happens, for people; null if nobody reads it. */
    final StringBuilder story;

    final BadNetwork network;
    long reads;
    long lastId;
    final Set<NodeId> wiped = new TreeSet<>();

    /** No member is removed so soon after a disk was lost that the leader cannot have noticed. */
    long wipedMs = -ELECTION_TIMEOUT_MS;

    World(long seed, int size, Counts counts, StringBuilder story) {
      this.counts = counts;
      this.story = story;
      random = new Random(seed);
      network = new BadNetwork(random, random.nextInt(3) * 0.06);
      lastId = size;
      RaftConfig config =
          new RaftConfig(
              ELECTION_TIMEOUT_MS,
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
              size,
              config,
              network::delaysMs,
              id -> new Random(seed * 31 + id),
              id -> story == null ? counts : new Story(story, id));
      cluster.tellsIncarnations = true;
    }

    void play() {
      cluster.startAll();
      while (cluster.nowMs() < BAD_MS) {
        cluster.run(random.nextInt(30));
        disturb(any(cluster.nodes()));
      }
      network.heal();
      for (VirtualCluster.Node node : cluster.nodes()) {
        node.diskMs = 1;
        node.resume();
        if (!node.isUp()) {
          node.start();
        }
      }
      cluster.run(GOOD_MS / 2);
      VirtualCluster.Node leader = cluster.leader();
      assertTrue(leader != null, () -> "nobody leads in a good world: " + describe());
      cluster.propose(leader, new byte[] {42});
      cluster.run(GOOD_MS / 2);
      checkAgreement();
    }

    private <T> T any(Collection<T> all) {
      return new ArrayList<>(all).get(random.nextInt(all.size()));
    }

    private void disturb(VirtualCluster.Node node) {
      switch (random.nextInt(60)) {
        case 0 -> {
          if (node.isUp()) {
            node.crash(random.nextInt(3));
          }
        }
        case 1, 2, 3, 4 -> startAnyStopped();
        case 5 -> network.cutOff.add(node.id);
        case 6, 7 -> network.cutOff.clear();
        case 8 -> node.pause();
        case 9, 10, 11, 12 -> node.resume();
        case 13 -> node.diskMs = random.nextLong(1, 201);
        case 14, 15, 16 -> node.diskMs = random.nextLong(1, 6);
        case 17 -> {
          if (node.isUp()) {
            node.takeSnapshot();
          }
        }
        case 18, 19 -> transfer();
        case 20, 21, 22, 23, 24, 25, 26, 27 -> change();
        case 28 -> wipe(node);
        default -> request(node);
      }
    }

    private void startAnyStopped() {
      for (VirtualCluster.Node node : cluster.nodes()) {
        if (!node.isUp() && random.nextBoolean()) {
          node.start();
        }
      }
    }

    private void transfer() {
      VirtualCluster.Node leader = cluster.leader();
      if (leader != null) {
        NodeId target = random.nextBoolean() ? NodeId.NONE : any(cluster.nodes()).id;
        cluster.transfer(leader, target);
      }
    }

    private void change() {
      VirtualCluster.Node leader = cluster.leader();
      if (leader == null || cluster.nowMs() - wipedMs < 3 * ELECTION_TIMEOUT_MS) {
        return;
      }
      ChangeAnswer answer = cluster.change(leader, drawChange(leader.core.status().membership()));
      if (!answer.isRefused()) {
        counts.changes++;
        if (leader.core.status().membership().isJoint()) {
          counts.joint++;
        }
      }
    }

    private MembershipChange drawChange(Membership present) {
      List<MemberInfo> add = new ArrayList<>();
      List<NodeId> promote = new ArrayList<>();
      List<NodeId> remove = new ArrayList<>();
      if (random.nextInt(3) == 0 && present.members().size() < MOST_MEMBERS) {
        NodeId former = any(cluster.nodes()).id;
        // Mostly a new one; sometimes one that was removed comes back.
        boolean comesBack = random.nextInt(3) == 0 && !present.contains(former);
        add.add(MemberInfo.of(comesBack ? former : cluster.join(++lastId).id));
      }
      if (!present.learners().isEmpty() && random.nextInt(4) > 0) {
        promote.add(any(present.learners()));
      }
      if (random.nextInt(4) == 0 && present.voters().size() > 1) {
        remove.add(any(present.members()).id());
      }
      return new MembershipChange(add, promote, remove);
    }

    /** A disk is lost, but never so many that the cluster has lost what it promised to keep. */
    private void wipe(VirtualCluster.Node lost) {
      VirtualCluster.Node leader = cluster.leader();
      if (leader == null || !leader.core.status().isMembershipSettled()) {
        return;
      }
      Membership membership = leader.core.status().membership();
      int sound = 0;
      for (NodeId voter : membership.voters()) {
        VirtualCluster.Node node = cluster.node(voter.value());
        sound += node != lost && node.isRecordedIn(membership) ? 1 : 0;
      }
      boolean known = !membership.contains(lost.id) || lost.isRecordedIn(membership);
      // Others may still go by an earlier configuration, which this one must not be missed in.
      if (known && sound > membership.voters().size() / 2 && everybodyKnows(membership)) {
        counts.wiped++;
        wipedMs = cluster.nowMs();
        lost.wipe();
        if (story != null) {
          Story.tell(story, cluster.nowMs(), lost.id.toString(), "lost its disk");
        }
        if (!mayComeBackAsFounder(lost)) {
          lost.bootstrap = Membership.NONE;
        }
      }
    }

    /**
     * Who lost its disk may come back as the founder that it was, unless it is the last of them.
     */
    private boolean mayComeBackAsFounder(VirtualCluster.Node lost) {
      wiped.add(lost.id);
      return !wiped.containsAll(lost.bootstrap.voters());
    }

    private boolean everybodyKnows(Membership membership) {
      for (MemberInfo info : membership.members()) {
        VirtualCluster.Node node = cluster.node(info.id().value());
        if (!node.isUp() || !node.core.status().membership().equals(membership)) {
          return false;
        }
      }
      return true;
    }

    private void request(VirtualCluster.Node node) {
      if (!node.isUp() || node.backlog() >= 8) {
        return;
      }
      if (random.nextInt(4) == 0) {
        reads += 2;
        counts.followerReads += node.core.isLeader() ? 0 : 2;
        cluster.read(node, reads - 1, reads);
      } else if (node.core.acceptsProposals()) {
        byte[] payload = new byte[random.nextInt(40)];
        random.nextBytes(payload);
        cluster.propose(node, payload);
      }
    }

    private String describe() {
      StringBuilder text = new StringBuilder();
      for (VirtualCluster.Node node : cluster.nodes()) {
        text.append('\n').append(node.id).append(": ").append(node.core.status());
      }
      return text.toString();
    }

    private void checkAgreement() {
      Membership membership = cluster.leader().core.status().membership();
      List<RaftStatus> all = new ArrayList<>();
      for (MemberInfo info : membership.members()) {
        VirtualCluster.Node node = cluster.node(info.id().value());
        if (node.isRecordedIn(membership)) {
          all.add(node.core.status());
        }
      }
      RaftStatus first = all.get(0);
      assertTrue(first.isMembershipSettled(), all::toString);
      for (RaftStatus status : all) {
        assertEquals(first.term(), status.term(), all::toString);
        assertEquals(first.last(), status.committed(), all::toString);
        assertEquals(first.last(), status.durable(), all::toString);
        assertEquals(first.leader(), status.leader(), all::toString);
        assertEquals(membership, status.membership(), all::toString);
      }
    }
  }

  @ParameterizedTest(name = "{0} members at first")
  @ValueSource(ints = {1, 3, 5})
  @DisplayName("Changing members is safe in a bad world, and a good one heals")
  void safeAndLive(int size) {
    Long only = Long.getLong("raft.seed");
    long runs = only == null ? Long.getLong("raft.runs", 12) : 1;
    long first = only == null ? 1 : only;
    Counts counts = new Counts();
    StringBuilder story = only == null ? null : new StringBuilder();
    for (long seed = first; seed < first + runs; seed++) {
      try {
        new World(seed, size, counts, story).play();
      } catch (RuntimeException | AssertionError | RaftInvariantViolation e) {
        throw new AssertionError(
            size
                + " members, replay with -Draft.seed="
                + seed
                + ": "
                + e.getMessage()
                + "\n"
                + story,
            e);
      }
    }
    boolean enough =
        counts.joint > 2L * runs && counts.transfers > runs && counts.wiped * 3L > runs;
    assertTrue(only != null || enough, counts::toString);
  }

  @Test
  @DisplayName("The same seed gives the same run")
  void repeatable() {
    World one = new World(7, 3, new Counts(), null);
    World other = new World(7, 3, new Counts(), null);
    one.play();
    other.play();
    assertEquals(
        one.cluster.node(1).core.status(), other.cluster.node(1).core.status(), "status of 1");
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * How hostile a run is. Drawn per seed: each seed has a few kinds of faults only, since in a run
 * that has them all, rare sequences of one kind never come about.
 *
 * @param kinds what the nemesis does
 * @param gapMs mean time between two faults of the nemesis
 * @param loss probability that a message is lost
 * @param duplication probability that a message arrives twice
 * @param stall probability that a request of a client is held up on its way, mostly until the
 *     client has given it up
 * @param clientPause probability that a client stands still with a lock in its hand
 * @param maxDelayMs longest way of a message; ways differ, so messages overtake each other
 * @param straggling probability that a message takes far longer, up to seconds
 * @param maxSyncMs longest write to disk
 * @param crashAfterVote probability that a member crashes right after it gave a vote
 * @param crashAfterAppend probability that a leader crashes right after it sent entries to a
 *     follower
 * @param crashAfterChange probability that a leader crashes right after it sent a configuration
 * @param crashAfterReply probability that a member crashes right after it confirmed an append
 * @param muteNewLeader probability that nothing a member sends arrives for a while once it leads
 * @param maxDownMs longest time that a crashed member stays down
 * @param maxCutMs longest time that a way stays cut
 * @param clockDrift largest deviation of a member's or client's clock from true time
 * @param leaderBias probability that a fault aims at the leader
 */
record Faults(
    List<FaultKind> kinds,
    long gapMs,
    double loss,
    double duplication,
    double stall,
    double clientPause,
    long maxDelayMs,
    double straggling,
    long maxSyncMs,
    double crashAfterVote,
    double crashAfterAppend,
    double crashAfterChange,
    double crashAfterReply,
    double muteNewLeader,
    long maxDownMs,
    long maxCutMs,
    double clockDrift,
    double leaderBias) {

  /** A network and disks that do what they should, within milliseconds. */
  static final Faults NONE =
      new Faults(List.of(), 0, 0, 0, 0, 0, 2, 0, 2, 0, 0, 0, 0, 0, 100, 0, 0.001, 0);

  static Faults draw(RandomGenerator random) {
    Faults mixed =
        new Faults(
            drawKinds(random),
            (long) pick(random, 200, 500, 2_000, 5_000),
            pick(random, 0, 0, 0.01, 0.1, 0.25),
            pick(random, 0, 0, 0.05, 0.3),
            pick(random, 0, 0, 0.02, 0.1),
            pick(random, 0, 0.02, 0.1, 0.1),
            (long) pick(random, 2, 10, 50, 150),
            pick(random, 0, 0, 0.01, 0.05),
            (long) pick(random, 2, 5, 30, 150),
            pick(random, 0, 0.1, 0.5),
            pick(random, 0, 0, 0.01),
            pick(random, 0, 0.1, 0.5),
            pick(random, 0, 0, 0.001, 0.01),
            pick(random, 0, 0, 0.1),
            (long) pick(random, 30, 300, 3_000),
            (long) pick(random, 300, 1_000, 10_000),
            pick(random, 0, 0.001, 0.01, 0.2),
            pick(random, 0.3, 0.6, 0.9));
    return random.nextInt(6) == 0 ? mixed.withManyElections() : mixed;
  }

  private static List<FaultKind> drawKinds(RandomGenerator random) {
    double share = pick(random, 0.1, 0.2, 0.4, 1);
    List<FaultKind> drawn = new ArrayList<>();
    for (FaultKind kind : Nemesis.KINDS) {
      if (random.nextDouble() < share) {
        drawn.add(kind);
      }
    }
    return drawn.isEmpty() ? List.of(FaultKind.POWER_CUT) : drawn;
  }

  /**
   * One leader after the other is struck, and voters forget what they can: candidates of one term
   * that compete for the same vote are too rare otherwise.
   */
  private Faults withManyElections() {
    return new Faults(
        kinds,
        500,
        loss,
        duplication,
        stall,
        clientPause,
        maxDelayMs,
        straggling,
        maxSyncMs,
        0.5,
        0.1,
        crashAfterChange,
        0,
        0.4,
        30,
        maxCutMs,
        clockDrift,
        0.9);
  }

  private static double pick(RandomGenerator random, double... choices) {
    return choices[random.nextInt(choices.length)];
  }
}

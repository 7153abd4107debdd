// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.util.random.RandomGenerator;

/**
 * How hostile a run is, and how its members are tuned. Drawn per seed: one mix of faults and one
 * batch size would leave whole classes of mistakes out of reach.
 *
 * @param loss probability that a message is lost
 * @param duplication probability that a message arrives twice
 * @param maxDelayMs longest way of a message; ways differ, so messages overtake each other
 * @param maxSyncMs longest write to disk
 * @param faultGapMs mean time between two faults of a member or of the network
 * @param crashAfterVote probability that a member crashes right after it gave a vote
 * @param crashAfterAppend probability that a leader crashes right after it sent entries to a
 *     follower
 * @param crashAfterReply probability that a member crashes right after it confirmed an append
 * @param muteNewLeader probability that nothing a member sends arrives for a while once it leads
 * @param maxDownMs longest time that a crashed member stays down
 * @param clockDrift largest deviation of a member's or client's clock from true time
 * @param leaderBias probability that a fault aims at the leader
 */
record Faults(
    double loss,
    double duplication,
    long maxDelayMs,
    long maxSyncMs,
    long faultGapMs,
    double crashAfterVote,
    double crashAfterAppend,
    double crashAfterReply,
    double muteNewLeader,
    long maxDownMs,
    double clockDrift,
    double leaderBias,
    int maxBatchEntries,
    int maxInFlightBatches) {

  static Faults draw(RandomGenerator random) {
    Faults mixed =
        new Faults(
            pick(random, 0, 0, 0.01, 0.1, 0.25),
            pick(random, 0, 0, 0.05, 0.3),
            (long) pick(random, 2, 10, 50, 150),
            (long) pick(random, 2, 5, 30, 150),
            (long) pick(random, 300, 1_000, 3_000, 8_000),
            pick(random, 0, 0.1, 0.5),
            pick(random, 0, 0, 0.01),
            pick(random, 0, 0.001, 0.01, 0.05),
            pick(random, 0, 0, 0.1),
            (long) pick(random, 30, 300, 3_000),
            pick(random, 0, 0.001, 0.01),
            pick(random, 0.3, 0.6, 0.9),
            (int) pick(random, 1, 2, 32, 4_096),
            (int) pick(random, 1, 4, 64));
    return random.nextInt(4) == 0 ? mixed.withManyElections() : mixed;
  }

  /**
   * One leader after the other is struck, and voters forget what they can: candidates of one term
   * that compete for the same vote are too rare otherwise.
   */
  private Faults withManyElections() {
    return new Faults(
        loss, duplication, maxDelayMs, maxSyncMs, 500, 0.5, 0.1, 0, 0.4, 30, clockDrift, 0.9, 1, 1);
  }

  private static double pick(RandomGenerator random, double... choices) {
    return choices[random.nextInt(choices.length)];
  }
}

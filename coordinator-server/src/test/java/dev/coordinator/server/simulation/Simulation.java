// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.history.LinearizabilityChecker;
import dev.coordinator.server.machine.CoordinatorMachine;
import dev.coordinator.server.raft.Membership;
import java.util.List;
import java.util.SplittableRandom;

/**
 * One run of a simulated cluster, decided by its seed alone.
 *
 * <p>Faults first; then a calm in which the cluster must recover: a leader, new commits, clients
 * that take locks and give them back, and members that hold the same state to the byte.
 */
public final class Simulation {

  /** How long faults go on in the runs of the build and of soaks. */
  static final long FAULTY_MS = 60_000;

  /** Entries that travel one by one over slow ways to slow disks may take a while. */
  private static final long MAX_CALM_MS = 60_000;

  /**
   * How often faults wait until the cluster has begun: while they keep any of its founders away,
   * nothing happens that could go wrong.
   */
  private static final double LETS_BEGIN = 0.8;

  private static final long FOUNDING_MS = 10_000;

  /** How often a run goes on until all leases have ended, which takes another few seconds. */
  private static final double LETS_LEASES_END = 0.2;

  /** The calm begins with an election if there is one in this time after the faults. */
  private static final long MAX_ELECTION_MS = 2_000;

  private static final long STEP_MS = 200;
  private static final long SMALL_STEP_MS = 10;
  private static final int STORY_LINES = 400;

  private final SimulatedCluster cluster;

  private Simulation(long seed, Story story) {
    this.cluster = SimulatedCluster.draw(new SplittableRandom(seed), story);
  }

  /**
   * What a run did.
   *
   * @param traceHash equal for two runs that did the same
   */
  record Result(long traceHash, Figures figures) {}

  /** Says what a seed did: null, or the violation with its story. */
  public static String violation(long seed, long faultyMs) {
    try {
      run(seed, faultyMs, Story.SILENT);
      return null;
    } catch (Throwable found) {
      return retell(seed, faultyMs, found);
    }
  }

  static String retell(long seed, long faultyMs, Throwable found) {
    Story story = new Story(STORY_LINES);
    Simulation again = new Simulation(seed, story);
    try {
      again.run(faultyMs);
      return "seed " + seed + " failed once, but not when repeated: " + found;
    } catch (Throwable violation) {
      return story
          + "\n"
          + again.cluster.describe()
          + whereFrom(violation)
          + "replay with: mvn -Dfast -pl coordinator-server -am test"
          + " -Dtest=SimulationTest#keepsItsPromisesUnderFaults -Dsim.seed="
          + seed
          + "\nseed "
          + seed
          + " after this story: "
          + violation;
    }
  }

  /** Where an error of the code itself came from; a violation tells all in its message. */
  private static String whereFrom(Throwable violation) {
    StringBuilder text = new StringBuilder();
    for (StackTraceElement frame : violation.getStackTrace()) {
      text.append("    at ").append(frame).append('\n');
    }
    return text.toString();
  }

  static Result run(long seed, long faultyMs, Story story) {
    return new Simulation(seed, story).run(faultyMs);
  }

  private Result run(long faultyMs) {
    if (cluster.schedule().chance(LETS_BEGIN)) {
      awaitFounding();
    }
    Nemesis nemesis = new Nemesis(cluster);
    nemesis.start();
    cluster.run(faultyMs);
    cluster.runToElection(MAX_ELECTION_MS);
    nemesis.stop();
    cluster.calm();
    awaitRecovery();
    cluster.bringAllBack();
    awaitRecovery();
    cluster.stopClients();
    awaitAgreement();
    checkEqualStates();
    LinearizabilityChecker.violation(cluster.history())
        .ifPresent(
            found -> {
              throw new Violation("%s", found);
            });
    awaitWatchers();
    if (cluster.schedule().chance(LETS_LEASES_END)) {
      awaitEndOfLeases();
    }
    cluster.figures().ran(cluster.schedule().nowMs());
    return new Result(cluster.schedule().traceHash(), cluster.figures());
  }

  /** The members of the cluster that are there now, without those that have lost what they knew. */
  private List<SimulatedMember> running() {
    Membership membership = cluster.oracle().membership();
    return cluster.members().stream()
        .filter(member -> membership.contains(member.id()))
        .filter(member -> !member.isLost() && !cluster.isAbsent(member))
        .toList();
  }

  /** Waits a while; members that crash all the time may need longer. */
  private void awaitFounding() {
    for (long waitedMs = 0; waitedMs < FOUNDING_MS && isFounding(); waitedMs += STEP_MS) {
      cluster.run(STEP_MS);
    }
  }

  private boolean isFounding() {
    return cluster.oracle().membership().isFounding();
  }

  /** Waits until clients are served, and members have applied what was committed meanwhile. */
  private void awaitRecovery() {
    long committedBefore = cluster.oracle().committed();
    long roundsBefore = cluster.roundsInCalm();
    long calmMs = 0;
    while (!hasRecovered(committedBefore, roundsBefore)) {
      if (calmMs >= MAX_CALM_MS) {
        throw new Violation("the cluster did not recover in %d ms of calm", MAX_CALM_MS);
      }
      cluster.run(STEP_MS);
      calmMs += STEP_MS;
    }
    cluster.figures().recovered(calmMs);
  }

  private boolean hasRecovered(long committedBefore, long roundsBefore) {
    return cluster.roundsInCalm() > roundsBefore
        && (!cluster.isWhole()
            || running().stream().allMatch(member -> applied(member) > committedBefore));
  }

  /** How far a member is; -1 if it is down. */
  private static long applied(SimulatedMember member) {
    return member.isAlive() ? member.loop().machine().view().appliedIndex() : -1;
  }

  /** Waits until all members have applied the same; soon, before leases end without clients. */
  private void awaitAgreement() {
    for (long waitedMs = 0; !agrees(); waitedMs += SMALL_STEP_MS) {
      if (waitedMs >= MAX_CALM_MS) {
        throw new Violation("members did not agree in %d ms without clients", MAX_CALM_MS);
      }
      cluster.run(SMALL_STEP_MS);
    }
  }

  private boolean agrees() {
    long committed = cluster.oracle().committed();
    return running().stream().allMatch(member -> applied(member) == committed);
  }

  /** Nobody renews them any more, and nothing but a leader's own entries lets time pass. */
  private void awaitEndOfLeases() {
    for (long waitedMs = 0; cluster.oracle().leases() > 0; waitedMs += STEP_MS) {
      if (waitedMs >= MAX_CALM_MS) {
        throw new Violation(
            "%d leases did not end in %d ms without clients",
            cluster.oracle().leases(), MAX_CALM_MS);
      }
      cluster.run(STEP_MS);
    }
  }

  private void awaitWatchers() {
    for (long waitedMs = 0; !cluster.watchersHaveSeenAll(); waitedMs += STEP_MS) {
      if (waitedMs >= MAX_CALM_MS) {
        throw new Violation("in %d ms of calm: %s", MAX_CALM_MS, cluster.describeWatchers());
      }
      cluster.run(STEP_MS);
    }
  }

  private void checkEqualStates() {
    String promised = cluster.oracle().state();
    for (SimulatedMember member : running()) {
      CoordinatorMachine machine = member.loop().machine();
      String state = Oracle.describe(machine);
      if (!state.equals(promised)) {
        throw new Violation("%s holds%n%s%nbut should hold%n%s", member, state, promised);
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import static org.junit.jupiter.api.Assertions.fail;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Measures the simulator: it must find mistakes that real systems have shipped. */
class MutantTest {

  private static final String RAFT = "dev.coordinator.server.raft.";
  private static final String RUNTIME = "dev.coordinator.server.runtime.";
  private static final long FAULTY_MS = 40_000;
  private static final long MAX_SEEDS = 1_000;

  static Stream<Mutant> mutants() {
    return Stream.of(
        new Mutant(
            "a vote is given before it is durable",
            RAFT + "Elections",
            "member.effects.sendOnceHardStateIsDurable(\n        new RequestVoteReply(",
            "member.effects.send(\n        new RequestVoteReply("),
        new Mutant(
            "an append is acknowledged before it is durable",
            RAFT + "Following",
            "member.effects.sendAfterPersist(reply);",
            "member.effects.send(reply);"),
        new Mutant(
            "an entry of an older term is committed by counting",
            RAFT + "Leading",
            "if (index <= log.committed() || index < leader.firstIndex()) {",
            "if (index <= log.committed()) {"),
        new Mutant(
            "a read is answered without a round to a majority",
            RAFT + "Leading",
            "leader.reads().confirm(leader.confirmedRound(member.membership), safe);",
            "leader.reads().confirm(leader.round(), safe);"),
        new Mutant(
            "a vote goes to a log that is behind",
            RAFT + "Elections",
            "if (compareLogs(request) < 0) {",
            "if (compareLogs(request) < -1) {"),
        new Mutant(
            "a follower commits beyond what it has verified",
            RAFT + "Following",
            "long committed = Math.min(request.leaderCommit(), verified);",
            "long committed = Math.min(request.leaderCommit(), log.last());"),
        new Mutant(
            "a deposed leader answers a proposal with what took its place",
            RUNTIME + "NodeLoop",
            """
                if (observer.takeLostLeadership()) {
                  // Before anything is applied: it may stand where this member's own proposals did.
                  failPending();
                }
                dispatch();
            """,
            """
                dispatch();
                if (observer.takeLostLeadership()) {
                  failPending();
                }
            """));
  }

  @ParameterizedTest
  @MethodSource("mutants")
  void isFound(Mutant mutant) throws Throwable {
    MethodHandle violation =
        MethodHandles.publicLookup()
            .findStatic(
                mutant.classLoader().loadClass(Simulation.class.getName()),
                "violation",
                MethodType.methodType(String.class, long.class, long.class));
    for (long seed = 1; seed <= MAX_SEEDS; seed++) {
      String story = (String) violation.invokeExact(seed, FAULTY_MS);
      if (story != null) {
        String found = story.substring(story.lastIndexOf('\n') + 1);
        System.out.println("mutant found: " + mutant + ": " + found);
        return;
      }
    }
    fail(mutant + " was not found in " + MAX_SEEDS + " seeds");
  }
}

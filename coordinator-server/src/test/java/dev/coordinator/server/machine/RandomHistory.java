// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * A history of random commands that meet, drawn while a {@link NaiveMachine} executes it; one seed,
 * one history.
 */
public final class RandomHistory {

  final NaiveMachine naive = new NaiveMachine();
  final ApplyResult expected = new ApplyResult();

  private final RandomGenerator random;
  private final RandomCommands commands;
  private final long seed;
  private long index;
  private long timeMs;
  private Command command;

  public RandomHistory(long seed) {
    this.seed = seed;
    random = new SplittableRandom(seed);
    commands = new RandomCommands(random);
  }

  /** Draws the next entry. Time may fall. */
  public void advance() {
    index += random.nextInt(10) == 0 ? 2 : 1;
    timeMs = Math.max(0, timeMs + random.nextInt(-20, 200));
    command =
        commands.next(
            naive.leases.stream().map(lease -> lease.id).toList(),
            naive.claims.stream().map(claim -> claim.replyIndex).toList(),
            naive.claims.stream()
                .filter(claim -> claim.token != 0)
                .map(
                    claim ->
                        new Command.ReleaseLock(
                            claim.name, claim.lease.id, claim.owner, claim.token, RequestId.NONE))
                .toList());
    expected.clear();
    naive.apply(index, timeMs, command, expected);
  }

  public long index() {
    return index;
  }

  /** Applies the present entry to a machine. */
  public void applyTo(CoordinatorMachine machine, ApplyResult result) {
    result.clear();
    machine.apply(index, timeMs, command, result);
  }

  /** Where it is, for messages. */
  @Override
  public String toString() {
    return "seed " + seed + ", entry " + index + " at " + timeMs + " ms: " + command;
  }
}

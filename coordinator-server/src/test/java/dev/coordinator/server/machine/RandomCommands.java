// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/** Draws commands from few names, owners, nonces and numbers, so that they meet. */
public final class RandomCommands {

  private static final List<String> NAMES = List.of("a", "b", "a/b", "\uff5e", "\ud83d\udd12");
  private static final List<String> OWNERS = List.of("", "", "x", "y");
  private static final List<String> NONCES = List.of("", "", "n", "m");

  private final RandomGenerator random;

  public RandomCommands(RandomGenerator random) {
    this.random = random;
  }

  /**
   * The next command.
   *
   * @param leaseIds those that it should mostly name; may be empty
   * @param replyIndexes waits that it should mostly cancel; may be empty
   * @param held what it should mostly release; may be empty
   */
  public Command next(
      List<Long> leaseIds, List<Long> replyIndexes, List<Command.ReleaseLock> held) {
    int draw = random.nextInt(100);
    if (draw < 10) {
      return grant();
    }
    if (draw < 14) {
      return new Command.RevokeLease(oneOf(leaseIds));
    }
    if (draw < 24) {
      int count = random.nextInt(4);
      return new Command.RenewLeases(
          IntStream.range(0, count).mapToObj(i -> oneOf(leaseIds)).toList());
    }
    if (draw < 66) {
      return acquire(leaseIds);
    }
    if (draw < 84) {
      return release(leaseIds, held);
    }
    if (draw < 92) {
      return new Command.CancelWait(pick(NAMES), oneOf(replyIndexes));
    }
    return Command.Pulse.INSTANCE;
  }

  private Command.GrantLease grant() {
    return new Command.GrantLease(1 + random.nextInt(2_000), pick(OWNERS), pick(NONCES));
  }

  private Command acquire(List<Long> leaseIds) {
    boolean own = random.nextInt(4) == 0;
    return new Command.AcquireLock(
        pick(NAMES),
        own ? 0 : oneOf(leaseIds),
        own ? grant() : null,
        pick(OWNERS),
        switch (random.nextInt(4)) {
          case 0 -> 0;
          case 1 -> Command.AcquireLock.UNLIMITED;
          default -> 1 + random.nextInt(1_000);
        },
        random.nextInt(3) == 0 ? "here" : "",
        own ? RequestId.NONE : requestId());
  }

  private Command release(List<Long> leaseIds, List<Command.ReleaseLock> held) {
    if (held.isEmpty() || random.nextInt(4) == 0) {
      return new Command.ReleaseLock(
          pick(NAMES), oneOf(leaseIds), pick(OWNERS), random.nextInt(300), requestId());
    }
    Command.ReleaseLock right = pick(held);
    return new Command.ReleaseLock(
        right.name(), right.leaseId(), right.owner(), right.token(), requestId());
  }

  private RequestId requestId() {
    if (random.nextBoolean()) {
      return RequestId.NONE;
    }
    int number = 1 + random.nextInt(12);
    return new RequestId(number, random.nextInt(4) == 0 ? random.nextInt(12) : 0);
  }

  private long oneOf(List<Long> numbers) {
    return numbers.isEmpty() || random.nextInt(10) == 0 ? 1 + random.nextInt(300) : pick(numbers);
  }

  private <T> T pick(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }
}

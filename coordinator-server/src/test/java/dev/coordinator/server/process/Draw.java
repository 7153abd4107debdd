// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/** The choices of one fault: which members, how long, how often. One seed decides them all. */
final class Draw {

  private final SplittableRandom random;

  Draw(SplittableRandom random) {
    this.random = random;
  }

  /** From {@code least} to {@code most}, both included. */
  int between(int least, int most) {
    return random.nextInt(least, most + 1);
  }

  boolean chance(double share) {
    return random.nextDouble() < share;
  }

  <T> T one(List<T> of) {
    return of.get(random.nextInt(of.size()));
  }

  /** All of them, in random order. */
  <T> List<T> shuffled(List<T> of) {
    List<T> left = new ArrayList<>(of);
    List<T> order = new ArrayList<>();
    while (!left.isEmpty()) {
      order.add(left.remove(random.nextInt(left.size())));
    }
    return order;
  }

  /** Some of them, in random order. */
  <T> List<T> some(int count, List<T> of) {
    return shuffled(of).subList(0, count);
  }

  /** One of the members, the leader more often than chance would have it. */
  Host host(Testbed testbed) {
    return chance(0.4) ? testbed.leader() : one(testbed.hosts());
  }

  /** Short spans are as likely as long ones: uniform in the logarithm. */
  long spanMs(long least, long most) {
    return Math.round(least * Math.pow((double) most / least, random.nextDouble()));
  }

  /** Lets the fault last. */
  void last(long leastMs, long mostMs) throws InterruptedException {
    TimeUnit.MILLISECONDS.sleep(spanMs(leastMs, mostMs));
  }
}

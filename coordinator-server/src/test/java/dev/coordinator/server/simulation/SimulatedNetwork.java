// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.raft.NodeId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * The ways between members: they lose, repeat, delay and reorder messages, can be cut one by one,
 * and clog.
 *
 * <p>Several faults may hold one way at once; it is free again when all of them are over.
 */
final class SimulatedNetwork {

  private static final int MAX_MEMBERS = 64;
  private static final long MIN_DELAY_NANOS = 50_000;
  private static final long MAX_STRAGGLING_NANOS = 3_000_000_000L;

  private final Schedule schedule;
  private final Consumer<Letter> receiver;
  private final Figures figures;
  private final int[][] cuts = new int[MAX_MEMBERS][MAX_MEMBERS];

  /** Those that stay cut for a while when everything else works; null if none do. */
  private boolean[][] cutsInCalm;

  private final int[] clogs = new int[MAX_MEMBERS];
  private final long[] slowNanos = new long[MAX_MEMBERS];
  private final long[] scatterNanos = new long[MAX_MEMBERS];

  /** How often everything that a member had sent was lost with it. */
  private final int[] losses = new int[MAX_MEMBERS];

  private List<Letter> held = new ArrayList<>();
  private double loss;
  private double duplication;
  private double straggling;
  private long maxDelayNanos;
  private boolean calm;

  SimulatedNetwork(Schedule schedule, Faults faults, Consumer<Letter> receiver, Figures figures) {
    this.schedule = schedule;
    this.receiver = receiver;
    this.figures = figures;
    this.loss = faults.loss();
    this.duplication = faults.duplication();
    this.straggling = faults.straggling();
    this.maxDelayNanos = faults.maxDelayMs() * 1_000_000;
  }

  void send(Letter letter) {
    figures.sent();
    if (isCut(letter.from(), letter.to()) || schedule.chance(loss)) {
      figures.lost();
      return;
    }
    deliverLater(letter);
    if (schedule.chance(duplication)) {
      figures.repeated();
      deliverLater(letter);
    }
  }

  private void deliverLater(Letter letter) {
    int from = index(letter.from());
    int to = index(letter.to());
    int lossesBefore = losses[from];
    long delayNanos =
        schedule.delayNanos(
            MIN_DELAY_NANOS, schedule.chance(straggling) ? MAX_STRAGGLING_NANOS : maxDelayNanos);
    if (scatterNanos[to] > 0) {
      delayNanos += schedule.random().nextLong(scatterNanos[to]);
    }
    schedule.after(
        delayNanos + slowNanos[from] + slowNanos[to],
        () -> {
          if (isCut(letter.from(), letter.to()) || lossesBefore != losses[from]) {
            figures.lost();
          } else if (clogs[from] + clogs[to] > 0) {
            held.add(letter);
          } else {
            receiver.accept(letter);
          }
        });
  }

  private static int index(NodeId member) {
    return (int) member.value();
  }

  // ----------------------------------------------------------------------------------- the faults

  boolean isCut(NodeId from, NodeId to) {
    return cuts[index(from)][index(to)] > 0
        || cutsInCalm != null && cutsInCalm[index(from)][index(to)];
  }

  void cut(NodeId from, NodeId to) {
    if (!calm) {
      cuts[index(from)][index(to)]++;
    }
  }

  void join(NodeId from, NodeId to) {
    cuts[index(from)][index(to)] = Math.max(0, cuts[index(from)][index(to)] - 1);
  }

  /** What comes from this member and what goes to it waits. */
  void clog(NodeId member) {
    if (!calm) {
      clogs[index(member)]++;
    }
  }

  void unclog(NodeId member) {
    clogs[index(member)] = Math.max(0, clogs[index(member)] - 1);
    releaseHeld();
  }

  private void releaseHeld() {
    List<Letter> released = held;
    held = new ArrayList<>();
    released.forEach(this::deliverLater);
  }

  void slow(NodeId member, long byNanos) {
    slowNanos[index(member)] = calm ? 0 : byNanos;
  }

  /** Messages to this member take longer, each by another time. */
  void scatter(NodeId member, long upToNanos) {
    scatterNanos[index(member)] = calm ? 0 : upToNanos;
  }

  /** What is on its way from this member never arrives. */
  void loseAllFrom(NodeId sender) {
    losses[index(sender)]++;
  }

  void cutInCalm(NodeId from, NodeId to) {
    if (cutsInCalm == null) {
      cutsInCalm = new boolean[MAX_MEMBERS][MAX_MEMBERS];
    }
    cutsInCalm[index(from)][index(to)] = true;
  }

  boolean isCutInCalm() {
    return cutsInCalm != null;
  }

  void joinInCalm() {
    cutsInCalm = null;
  }

  /** No more losses, repeats, cuts or long ways. */
  void calm() {
    calm = true;
    for (int member = 0; member < MAX_MEMBERS; member++) {
      Arrays.fill(cuts[member], 0);
      clogs[member] = 0;
      slowNanos[member] = 0;
      scatterNanos[member] = 0;
    }
    loss = 0;
    duplication = 0;
    straggling = 0;
    maxDelayNanos = Math.min(maxDelayNanos, 5_000_000);
    releaseHeld();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.runtime.CompactedException;
import dev.coordinator.server.runtime.CoordinatorNode;
import dev.coordinator.server.runtime.NodeException;
import dev.coordinator.server.runtime.WatchEvent;
import dev.coordinator.server.runtime.WatchHub;
import dev.coordinator.server.runtime.WatchSpec;
import java.util.Set;

/**
 * Watches locks at one member after the other and holds what it is told against what happened: all
 * events of its locks, each once, in their order, whatever becomes of members and connections.
 */
final class SimulatedWatcher {

  private static final long MS = 1_000_000;

  private final SimulatedCluster cluster;
  private final Schedule schedule;
  private final Oracle oracle;
  private final String watched;
  private final boolean prefix;

  /** The connection in use; what earlier ones report is ignored. */
  private Connection connection;

  /** Everything up to this revision was seen; -1 before the first step. */
  private long covered = -1;

  /** How many events of the cluster are behind this watcher. */
  private int position;

  SimulatedWatcher(SimulatedCluster cluster) {
    this.cluster = cluster;
    this.schedule = cluster.schedule();
    this.oracle = cluster.oracle();
    this.prefix = schedule.random().nextBoolean();
    this.watched = prefix ? "" : "a";
  }

  void start() {
    connect();
    lookAround();
  }

  /** Whether everything that happened was seen. */
  boolean hasSeenAll() {
    return nextMatching(position) == oracle.events().size();
  }

  @Override
  public String toString() {
    return String.format(
        "a watcher of \"%s\" that has seen all up to %d, %s",
        watched, covered, connection == null ? "alone" : "at " + connection.member);
  }

  /** A member that is gone does not say so. */
  private void lookAround() {
    schedule.after(
        schedule.random().nextLong(1, 1_000 * MS),
        () -> {
          if (connection == null || connection.isDead() || schedule.chance(0.02)) {
            connect();
          }
          lookAround();
        });
  }

  private void connect() {
    if (connection != null) {
      connection.close();
      connection = null;
    }
    SimulatedMember member =
        cluster.members().get(schedule.random().nextInt(cluster.members().size()));
    if (member.isAlive()) {
      connection = new Connection(member);
      connection.open();
    }
  }

  private boolean matches(Oracle.LockEvent event) {
    return prefix || event.lock().equals(watched);
  }

  private int nextMatching(int from) {
    int next = from;
    while (next < oracle.events().size() && !matches(oracle.events().get(next))) {
      next++;
    }
    return next;
  }

  private void take(SimulatedMember from, WatchHub.Step step, boolean isInitial) {
    if (isInitial) {
      covered = step.revision();
      position = oracle.firstEventAfter(covered);
      return;
    }
    for (WatchEvent event : step.events()) {
      int next = nextMatching(position);
      Oracle.LockEvent expected = next < oracle.events().size() ? oracle.events().get(next) : null;
      if (expected == null
          || expected.revision() != event.revision()
          || expected.ordinal() != event.ordinal()
          || !expected.event().equals(event.event())) {
        throw new Violation(
            "a watcher of \"%s\" was told %s by %s, but %s comes next",
            watched, event, from, expected);
      }
      position = next + 1;
      cluster.figures().watched();
    }
    covered = Math.max(covered, step.revision());
    int missed = nextMatching(position);
    if (missed < oracle.events().size() && oracle.events().get(missed).revision() <= covered) {
      throw new Violation(
          "a watcher of \"%s\" was told by %s that it has seen all up to %d, but not %s",
          watched, from, covered, oracle.events().get(missed));
    }
  }

  private final class Connection implements WatchHub.Listener {

    private final SimulatedMember member;
    private final CoordinatorNode node;
    private final boolean fromState = covered < 0;
    private WatchHub.Subscription subscription;
    private boolean stateCame;
    private boolean pullPlanned;

    Connection(SimulatedMember member) {
      this.member = member;
      this.node = member.node();
    }

    void open() {
      subscription =
          node.watch(
              new WatchSpec(watched, prefix, Set.of(), fromState ? 0 : covered + 1, fromState),
              this);
    }

    boolean isDead() {
      return member.node() != node;
    }

    void close() {
      subscription.close();
    }

    @Override
    public void ready() {
      if (!pullPlanned) {
        pullPlanned = true;
        schedule.after(schedule.delayNanos(100_000, 50 * MS), this::pull);
      }
    }

    private void pull() {
      pullPlanned = false;
      if (connection != this || isDead()) {
        return;
      }
      try {
        for (WatchHub.Step step = subscription.pull(true);
            step != null;
            step = subscription.pull(true)) {
          take(member, step, fromState && !stateCame);
          stateCame = true;
        }
      } catch (CompactedException e) {
        covered = -1;
        connection = null;
        subscription.close();
      }
    }

    @Override
    public void ended(NodeException why) {
      if (connection == this) {
        connection = null;
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.machine.RequestId;
import dev.coordinator.server.runtime.Answered;
import dev.coordinator.server.runtime.NodeException;
import java.util.List;
import java.util.function.Consumer;

/**
 * A client that lives as the SDK's do: it keeps a lease alive, takes locks, writes to what they
 * guard, gives them back, reads, and repeats what got no answer with the same number.
 *
 * <p>It trusts its lease for the TTL from the moment a request was first sent, on its own drifting
 * clock, less a margin.
 */
final class SimulatedClient {

  private static final long MS = 1_000_000;
  static final double DRIFT_MARGIN = 0.05;
  private static final long ATTEMPT_TIMEOUT_NANOS = 700 * MS;
  private static final String[] LOCKS = {"a", "b", "jobs/c"};

  private final SimulatedCluster cluster;
  private final Schedule schedule;
  private final String name;
  private final double clockRate;
  private final long ttlMs;

  /** Answers to requests of an earlier life are ignored. */
  private int life;

  private long leaseId;
  private long localDeadlineNanos;
  private long nextNumber;
  private String lock;
  private String owner;
  private long token;
  private boolean acquiredInCalm;

  SimulatedClient(SimulatedCluster cluster, int number, double clockRate) {
    this.cluster = cluster;
    this.schedule = cluster.schedule();
    this.name = "client-" + number;
    this.clockRate = clockRate;
    this.ttlMs = List.of(600L, 2_000L, 5_000L).get(schedule.random().nextInt(3));
  }

  void start() {
    think(200, this::openLease);
    keepReading();
  }

  boolean believesToHold(String lockName) {
    return lockName.equals(lock) && leaseAlive();
  }

  private boolean leaseAlive() {
    return localNanos(schedule.nowNanos()) < localDeadlineNanos;
  }

  private long localNanos(long trueNanos) {
    return (long) (trueNanos * clockRate);
  }

  private void renewedBy(long lease, long sentNanos) {
    leaseId = lease;
    localDeadlineNanos =
        Math.max(
            localDeadlineNanos, localNanos(sentNanos) + (long) (ttlMs * MS * (1 - DRIFT_MARGIN)));
    cluster.oracle().renewalAcknowledged(lease, sentNanos);
  }

  private void openLease() {
    if (cluster.clientsAreStopped()) {
      return;
    }
    life++;
    leaseId = 0;
    localDeadlineNanos = 0;
    nextNumber = 1;
    lock = null;
    long firstSentNanos = schedule.nowNanos();
    Command grant = new Command.GrantLease(ttlMs, name, name + "/" + life);
    submit(
        grant,
        answer -> {
          Outcome.LeaseGranted granted = (Outcome.LeaseGranted) answer;
          renewedBy(granted.leaseId(), firstSentNanos);
          keepAlive();
          think(50, this::choose);
        },
        () -> true);
  }

  private void keepAlive() {
    think(ttlMs / 3, this::renew);
  }

  private void renew() {
    long sentNanos = schedule.nowNanos();
    int now = life;
    long lease = leaseId;
    boolean[] answered = new boolean[1];
    cluster.call(
        node -> node.keepAlive(List.of(lease)),
        (Answered<List<Outcome.Renewal>> answer) -> {
          if (now != life) {
            return;
          }
          answered[0] = true;
          if (answer.value().get(0).alive()) {
            renewedBy(lease, sentNanos);
            keepAlive();
          } else {
            cluster.note("%s is told that lease %d is gone", name, lease);
            openLease();
          }
        },
        refused -> {});
    think(
        ATTEMPT_TIMEOUT_NANOS / MS,
        () -> {
          if (!answered[0]) {
            if (leaseAlive()) {
              renew();
            } else {
              openLease();
            }
          }
        });
  }

  private void choose() {
    int choice = schedule.random().nextInt(20);
    if (choice == 0) {
      submit(new Command.RevokeLease(leaseId), answer -> openLease(), this::leaseAlive);
    } else {
      acquire();
    }
  }

  private void acquire() {
    String wanted = LOCKS[schedule.random().nextInt(LOCKS.length)];
    String as = name + "#" + nextNumber;
    boolean inCalm = cluster.isCalm();
    long waitMs =
        List.of(0L, 300L, 3_000L, Command.AcquireLock.UNLIMITED).get(schedule.random().nextInt(4));
    Command acquire = new Command.AcquireLock(wanted, leaseId, null, as, waitMs, "", nextRequest());
    submit(
        acquire,
        answer -> {
          if (answer instanceof Outcome.LockAcquired acquired) {
            acquiredInCalm = inCalm;
            hold(wanted, as, acquired.token());
          } else {
            think(100, this::choose);
          }
        },
        this::leaseAlive);
  }

  private void hold(String wanted, String as, long grantedToken) {
    lock = wanted;
    owner = as;
    token = grantedToken;
    if (believesToHold(wanted)) {
      cluster.beliefs().gained(wanted, this);
    }
    GuardedResource resource = cluster.resource(wanted);
    long base = resource.read(grantedToken);
    // The write comes after a pause that may outlast the lease: then the resource must refuse it.
    think(
        schedule.chance(0.1) ? 2 * ttlMs : 100,
        () -> {
          if (base >= 0) {
            resource.increment(grantedToken, base);
          }
          release();
        });
  }

  private void release() {
    Command release = new Command.ReleaseLock(lock, leaseId, owner, token, nextRequest());
    lock = null;
    boolean inCalm = acquiredInCalm;
    submit(
        release,
        answer -> {
          if (inCalm && answer instanceof Outcome.LockReleased) {
            cluster.roundInCalm();
          }
          think(100, this::choose);
        },
        this::leaseAlive);
  }

  private void keepReading() {
    if (cluster.clientsAreStopped()) {
      return;
    }
    schedule.after(schedule.random().nextLong(1, 150 * MS), this::keepReading);
    long acknowledgedBefore = cluster.oracle().acknowledgedRevision();
    String wanted = LOCKS[schedule.random().nextInt(LOCKS.length)];
    cluster.call(
        node -> node.read(view -> view.lock(wanted)),
        answer -> cluster.oracle().readAnswered(answer.revision(), acknowledgedBefore),
        refused -> {});
  }

  private RequestId nextRequest() {
    long number = nextNumber++;
    return new RequestId(number, number);
  }

  /**
   * Sends a command until it is answered, or until {@code worthwhile} says no; then begins anew.
   */
  private void submit(
      Command command, Consumer<Outcome> onAnswer, java.util.function.BooleanSupplier worthwhile) {
    attempt(command, onAnswer, worthwhile, life, new boolean[1]);
  }

  private void attempt(
      Command command,
      Consumer<Outcome> onAnswer,
      java.util.function.BooleanSupplier worthwhile,
      int ofLife,
      boolean[] answered) {
    boolean[] over = new boolean[1];
    Runnable again =
        () -> {
          if (ofLife != life || answered[0] || over[0] || cluster.clientsAreStopped()) {
            return;
          }
          over[0] = true;
          if (worthwhile.getAsBoolean()) {
            attempt(command, onAnswer, worthwhile, ofLife, answered);
          } else {
            openLease();
          }
        };
    cluster.submit(
        command,
        (Answered<Outcome> answer) -> {
          if (ofLife != life || answered[0]) {
            return;
          }
          if (answer.value() instanceof Outcome.WaitCancelled) {
            return; // A later attempt of this client took the place in the queue.
          }
          answered[0] = true;
          cluster.note("%s is told: %s", name, answer.value());
          if (answer.value() instanceof Outcome.LeaseNotFound
              || answer.value() instanceof Outcome.LeaseEnded) {
            openLease();
          } else {
            onAnswer.accept(answer.value());
          }
        },
        (NodeException refused) -> schedule.after(schedule.delayNanos(5 * MS, 50 * MS), again));
    long patienceNanos =
        command instanceof Command.AcquireLock ? 3 * ATTEMPT_TIMEOUT_NANOS : ATTEMPT_TIMEOUT_NANOS;
    schedule.after(patienceNanos, again);
  }

  private void think(long meanMs, Runnable then) {
    int ofLife = life;
    schedule.after(
        schedule.random().nextLong(1, 2 * meanMs * MS),
        () -> {
          if (ofLife == life && !cluster.clientsAreStopped()) {
            then.run();
          }
        });
  }

  @Override
  public String toString() {
    return name;
  }
}

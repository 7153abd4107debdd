// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import dev.coordinator.server.history.History;
import dev.coordinator.server.history.Holder;
import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.LockView;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.machine.RequestId;
import dev.coordinator.server.runtime.Answered;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * A client that lives as the SDK's do: it keeps a lease alive, takes locks, writes to what they
 * guard, gives them back, reads, and repeats what got no answer with the same number.
 *
 * <p>It trusts its lease for the TTL from the moment a request was first sent, on its own drifting
 * clock, less a margin.
 */
final class SimulatedClient {

  static final double DRIFT_MARGIN = 0.05;

  private static final long MS = 1_000_000;
  private static final String[] LOCKS = {"a", "b", "jobs/c"};

  /** A lock that this client was given. */
  private record Holding(
      String lock, long leaseId, String lease, String owner, long token, boolean wonInCalm) {}

  private final SimulatedCluster cluster;
  private final Schedule schedule;
  private final History history;
  private final String name;
  private final double clockRate;
  private final long ttlMs;
  private final long patienceNanos;

  /** Answers to requests of an earlier life are ignored. */
  private int life;

  private long leaseId;
  private long localDeadlineNanos;
  private long nextNumber;
  private long acknowledgedBelow;
  private int acquisitions;
  private Holding holding;

  /** Until then its process stands still. */
  private long pausedUntilNanos;

  /** How long it trusts a lease that was made for the lock it holds. */
  private long ownLeaseDeadlineNanos;

  SimulatedClient(SimulatedCluster cluster, int number, double clockRate) {
    this.cluster = cluster;
    this.schedule = cluster.schedule();
    this.history = cluster.history();
    this.name = "client-" + number;
    this.clockRate = clockRate;
    this.ttlMs = List.of(600L, 2_000L, 5_000L).get(schedule.random().nextInt(3));
    this.patienceNanos = List.of(150L, 700L).get(schedule.random().nextInt(2)) * MS;
  }

  void start() {
    think(200, this::openLease);
    keepReading();
  }

  boolean believesToHold(String lockName) {
    if (holding == null || !lockName.equals(holding.lock)) {
      return false;
    }
    return holding.leaseId == leaseId ? leaseAlive() : localNanos() < ownLeaseDeadlineNanos;
  }

  private boolean leaseAlive() {
    return localNanos() < localDeadlineNanos;
  }

  private long localNanos() {
    return localNanos(schedule.nowNanos());
  }

  private long localNanos(long trueNanos) {
    return (long) (trueNanos * clockRate);
  }

  /** Until when it trusts a lease for which a request was sent at this time. */
  private long deadlineNanos(long sentNanos) {
    return localNanos(sentNanos) + (long) (ttlMs * MS * (1 - DRIFT_MARGIN));
  }

  // ------------------------------------------------------------------------------------ its lease

  private void openLease() {
    if (cluster.clientsAreStopped()) {
      return;
    }
    life++;
    leaseId = 0;
    localDeadlineNanos = 0;
    nextNumber = 1;
    acknowledgedBelow = 0;
    holding = null;
    long firstSentNanos = schedule.nowNanos();
    Command grant = new Command.GrantLease(ttlMs, name, name + "/" + life);
    submit(
        grant,
        answer -> {
          Outcome.LeaseGranted granted = (Outcome.LeaseGranted) answer;
          leaseId = granted.leaseId();
          renewed(firstSentNanos);
          keepAlive();
          think(50, this::choose);
        },
        () -> true);
  }

  private void renewed(long sentNanos) {
    localDeadlineNanos = Math.max(localDeadlineNanos, deadlineNanos(sentNanos));
    cluster.oracle().renewalAcknowledged(leaseId, sentNanos);
    history.leaseAlive(leaseName(), sentNanos, cluster.oracle().provenNanos(ttlMs));
  }

  private String leaseName() {
    return "lease " + leaseId;
  }

  private void keepAlive() {
    think(ttlMs / 3, this::renew);
  }

  private void renew() {
    if (schedule.nowNanos() < pausedUntilNanos) {
      keepAlive();
      return;
    }
    long sentNanos = schedule.nowNanos();
    int now = life;
    long lease = leaseId;
    boolean[] over = new boolean[1];
    cluster.call(
        node -> node.keepAlive(List.of(lease)),
        (Answered<List<Outcome.Renewal>> answer) -> {
          if (now != life) {
            return;
          }
          if (!answer.value().get(0).alive()) {
            cluster.note("%s is told that lease %d is gone", name, lease);
            history.leaseEnded(leaseName());
            openLease();
            return;
          }
          renewed(sentNanos);
          if (!over[0]) {
            over[0] = true;
            keepAlive();
          }
        },
        refused -> {});
    think(
        patienceNanos / MS,
        () -> {
          if (over[0]) {
            return;
          }
          over[0] = true;
          if (leaseAlive()) {
            renew();
          } else {
            openLease();
          }
        });
  }

  private void revoke() {
    history.leaseRevoked(leaseName());
    submit(
        new Command.RevokeLease(leaseId),
        answer -> {
          history.leaseEnded(leaseName());
          openLease();
        },
        this::leaseAlive);
  }

  // ------------------------------------------------------------------------------------ its locks

  private void choose() {
    switch (schedule.random().nextInt(20)) {
      case 0 -> revoke();
      case 1, 2 -> acquireWithOwnLease();
      default -> acquire();
    }
  }

  private void acquire() {
    String wanted = LOCKS[schedule.random().nextInt(LOCKS.length)];
    String as = nextOwner();
    long waitMs =
        List.of(0L, 300L, 3_000L, Command.AcquireLock.UNLIMITED).get(schedule.random().nextInt(4));
    boolean inCalm = cluster.isCalm();
    History.Call call = history.acquire(name, wanted, leaseName(), as);
    Request request =
        submit(
            new Command.AcquireLock(wanted, leaseId, null, as, waitMs, "", nextRequest()),
            answer -> {
              tell(call, answer);
              if (answer instanceof Outcome.LockAcquired acquired) {
                hold(new Holding(wanted, leaseId, leaseName(), as, acquired.token(), inCalm));
              } else if (answer instanceof Outcome.WaitCancelled) {
                // Perhaps by a later attempt, which took its place and may still get the lock.
                clearUp(call, wanted, as, inCalm);
              } else {
                think(100, this::choose);
              }
            },
            this::leaseAlive);
    Runnable clearUp = () -> clearUp(call, wanted, as, inCalm);
    if (waitMs == Command.AcquireLock.UNLIMITED && schedule.chance(0.3)) {
      think(500, () -> request.cancel(clearUp));
    } else if (schedule.chance(0.2)) {
      think(500, () -> request.giveUp(clearUp));
    }
  }

  /**
   * Sees to it that nothing comes of an acquisition that nobody waits for any more: asks once more,
   * without waiting, and gives back what it gets. So both requests are one to the history.
   */
  private void clearUp(History.Call call, String wanted, String as, boolean inCalm) {
    submit(
        new Command.AcquireLock(wanted, leaseId, null, as, 0, "", nextRequest()),
        answer -> {
          tell(call, answer);
          if (answer instanceof Outcome.LockAcquired acquired) {
            release(new Holding(wanted, leaseId, leaseName(), as, acquired.token(), inCalm));
          } else {
            think(100, this::choose);
          }
        },
        this::leaseAlive);
  }

  private void acquireWithOwnLease() {
    String wanted = LOCKS[schedule.random().nextInt(LOCKS.length)];
    String as = nextOwner();
    boolean inCalm = cluster.isCalm();
    long waitMs = List.of(0L, 300L).get(schedule.random().nextInt(2));
    long sentNanos = schedule.nowNanos();
    History.Call call = history.acquire(name, wanted, as, as);
    submitOnce(
        new Command.AcquireLock(
            wanted, 0, new Command.GrantLease(ttlMs, name, as), as, waitMs, "", RequestId.NONE),
        answer -> {
          tell(call, answer);
          if (answer instanceof Outcome.LockAcquired acquired) {
            // The lease began with the grant, not before the request was sent.
            history.leaseAlive(as, sentNanos, cluster.oracle().provenNanos(ttlMs));
            cluster.oracle().renewalAcknowledged(acquired.leaseId(), sentNanos);
            ownLeaseDeadlineNanos = deadlineNanos(sentNanos);
            hold(new Holding(wanted, acquired.leaseId(), as, as, acquired.token(), inCalm));
          } else {
            think(100, this::choose);
          }
        });
  }

  private void hold(Holding won) {
    holding = won;
    if (believesToHold(won.lock)) {
      cluster.beliefs().gained(won.lock, this);
    }
    GuardedResource resource = cluster.resource(won.lock);
    long base = resource.read(won.token);
    boolean pauses = !cluster.isCalm() && schedule.chance(cluster.faults().clientPause());
    long writeNanos = schedule.random().nextLong(1, 2 * (pauses ? 2 * ttlMs : 100) * MS);
    if (pauses) {
      pausedUntilNanos = schedule.nowNanos() + writeNanos;
    }
    int ofLife = life;
    schedule.after(
        writeNanos,
        () -> {
          // It does not know what happened in a pause that outlasted its lease.
          if (base >= 0 && !resource.increment(won.token, base)) {
            cluster.figures().staleWriteRefused();
          }
          if (ofLife == life && !cluster.clientsAreStopped()) {
            release(won);
          }
        });
  }

  private void release(Holding held) {
    holding = null;
    History.Call call = history.release(name, held.lock, held.lease, held.owner, held.token);
    if (held.leaseId == leaseId) {
      submit(
          new Command.ReleaseLock(held.lock, held.leaseId, held.owner, held.token, nextRequest()),
          answer -> released(held, call, answer),
          this::leaseAlive);
    } else {
      submitOnce(
          new Command.ReleaseLock(held.lock, held.leaseId, held.owner, held.token, RequestId.NONE),
          answer -> released(held, call, answer));
    }
  }

  private void released(Holding held, History.Call call, Outcome answer) {
    tell(call, answer);
    if (held.wonInCalm && answer instanceof Outcome.LockReleased) {
      cluster.roundInCalm();
    }
    boolean again = held.leaseId == leaseId && schedule.chance(0.1);
    think(100, again ? () -> releaseAgain(held) : this::choose);
  }

  /** As a careless program does; whoever has the lock by now must not lose it by that. */
  private void releaseAgain(Holding given) {
    History.Call call = history.release(name, given.lock, given.lease, given.owner, given.token);
    submit(
        new Command.ReleaseLock(given.lock, given.leaseId, given.owner, given.token, nextRequest()),
        answer -> {
          tell(call, answer);
          think(100, this::choose);
        },
        this::leaseAlive);
  }

  /** An answer that is none of these leaves open whether an earlier attempt took effect. */
  private static void tell(History.Call call, Outcome outcome) {
    if (outcome instanceof Outcome.LockAcquired acquired) {
      call.granted(acquired.token());
    } else if (outcome instanceof Outcome.LockNotAcquired refused) {
      call.notAcquired(holder(refused.holder()));
    } else if (outcome instanceof Outcome.LockReleased) {
      call.released();
    } else if (outcome instanceof Outcome.NotLockOwner refused) {
      call.notOwner(refused.presentToken());
    }
  }

  private static Holder holder(LockView.Holder shown) {
    return shown == null ? null : new Holder(shown.token(), shown.owner());
  }

  private void keepReading() {
    if (cluster.clientsAreStopped()) {
      return;
    }
    schedule.after(schedule.random().nextLong(1, 200 * MS), this::keepReading);
    long committedBefore = cluster.oracle().committed();
    String wanted = LOCKS[schedule.random().nextInt(LOCKS.length)];
    if (schedule.chance(0.1)) {
      readStale(wanted);
      return;
    }
    History.Call call = history.read(name, wanted);
    cluster.callAny(
        node -> node.read(view -> view.lock(wanted)),
        (Answered<Optional<LockView>> answer) -> {
          call.saw(holder(answer.value().map(LockView::holder).orElse(null)));
          cluster.oracle().readAnswered(answer.revision(), committedBefore);
        },
        refused -> {});
  }

  /** Of such a read only one thing is promised: what it tells was so once. */
  private void readStale(String wanted) {
    cluster.callAny(
        node -> node.staleRead(view -> view.lock(wanted)),
        (Answered<Optional<LockView>> answer) ->
            cluster
                .oracle()
                .staleReadAnswered(
                    wanted,
                    answer.revision(),
                    answer.value().map(LockView::holder).map(LockView.Holder::token).orElse(0L)),
        refused -> {});
  }

  private String nextOwner() {
    return name + "#" + ++acquisitions;
  }

  private RequestId nextRequest() {
    long number = nextNumber++;
    if (schedule.chance(0.3)) { // Mostly as if another request had no answer yet.
      acknowledgedBelow = number;
    }
    return new RequestId(number, acknowledgedBelow);
  }

  // ---------------------------------------------------------------------------------- its requests

  private Request submit(Command command, Consumer<Outcome> onAnswer, BooleanSupplier worthwhile) {
    Request request = new Request(command, onAnswer, worthwhile);
    request.attempt();
    return request;
  }

  /** For a command without a number, which could be carried out twice if it were sent twice. */
  private void submitOnce(Command command, Consumer<Outcome> onAnswer) {
    int ofLife = life;
    boolean[] over = new boolean[1];
    Consumer<Runnable> first =
        then -> {
          if (ofLife == life && !over[0] && !cluster.clientsAreStopped()) {
            over[0] = true;
            then.run();
          }
        };
    cluster.submit(
        command,
        answer ->
            first.accept(
                () -> {
                  cluster.note("%s is told: %s", name, answer.value());
                  onAnswer.accept(answer.value());
                }),
        refused -> first.accept(() -> think(100, this::choose)));
    schedule.after(3 * patienceNanos, () -> first.accept(this::choose));
  }

  /**
   * A command that is sent until it is answered, or until it is no longer worthwhile; then the
   * client begins anew.
   */
  private final class Request {

    private final Command command;
    private final Consumer<Outcome> onAnswer;
    private final BooleanSupplier worthwhile;
    private final int ofLife = life;
    private Runnable lastCancellation = () -> {};
    private int attempts;
    private boolean answered;

    Request(Command command, Consumer<Outcome> onAnswer, BooleanSupplier worthwhile) {
      this.command = command;
      this.onAnswer = onAnswer;
      this.worthwhile = worthwhile;
    }

    private boolean isOver() {
      return ofLife != life || answered || cluster.clientsAreStopped();
    }

    void attempt() {
      int attempt = ++attempts;
      Runnable again = () -> repeatAfter(attempt);
      lastCancellation =
          cluster.submit(
              command,
              answer -> answered(answer.value()),
              refused -> schedule.after(schedule.delayNanos(5 * MS, 50 * MS), again));
      schedule.after(
          command instanceof Command.AcquireLock ? 3 * patienceNanos : patienceNanos, again);
    }

    private void repeatAfter(int attempt) {
      if (isOver() || attempt != attempts) {
        return;
      }
      if (worthwhile.getAsBoolean()) {
        attempt();
      } else {
        openLease();
      }
    }

    /**
     * Takes back the wait of the last attempt, and gives up: another attempt may take its place.
     */
    void cancel(Runnable then) {
      if (!isOver()) {
        lastCancellation.run();
        giveUp(then);
      }
    }

    /** Asks no more and takes no answer, unless it has one. */
    void giveUp(Runnable then) {
      if (!isOver()) {
        answered = true;
        cluster.note("%s gives up: %s", name, command);
        then.run();
      }
    }

    private void answered(Outcome outcome) {
      if (isOver() || outcome instanceof Outcome.WaitCancelled) {
        return; // A later attempt took the place of this one in the queue.
      }
      answered = true;
      cluster.note("%s is told: %s", name, outcome);
      if (outcome instanceof Outcome.LeaseNotFound || outcome instanceof Outcome.LeaseEnded) {
        history.leaseEnded(leaseName());
        openLease();
      } else {
        onAnswer.accept(outcome);
      }
    }
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

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import dev.coordinator.client.CoordinatorClient;
import dev.coordinator.client.CoordinatorException;
import dev.coordinator.client.DistributedLock;
import dev.coordinator.client.HeldLock;
import dev.coordinator.client.LeaseExpiredException;
import dev.coordinator.client.LockLostException;
import dev.coordinator.client.Session;
import dev.coordinator.client.SessionEvent;
import dev.coordinator.client.SessionState;
import dev.coordinator.client.UnavailableException;
import dev.coordinator.server.history.Action;
import dev.coordinator.server.history.Holder;
import dev.coordinator.server.history.Operation;
import dev.coordinator.server.history.Result;
import dev.coordinator.v1.GetLockRequest;
import dev.coordinator.v1.GetLockResponse;
import dev.coordinator.v1.LockHolder;
import dev.coordinator.v1.LockServiceGrpc;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A client that takes locks, uses what they guard, gives them back and looks at them. It records
 * what it was told, and does not let pass what cannot be true.
 */
final class LoadWorker implements Runnable {

  private static final long RELEASE_LIMIT_MS = 10_000;
  private static final long READ_LIMIT_MS = 2_000;
  private static final int BUSY_LOCKS = 8;

  private final String id;
  private final CoordinatorClient client;
  private final List<Host> hosts;
  private final Duration ttl;
  private final int pauseMs;
  private final SplittableRandom random;
  private final Tally tally;
  private Stretch stretch;
  private Session session;

  /**
   * @param hosts of all members, for reads by whomever
   * @param pauseMs mean pause between two rounds
   */
  LoadWorker(
      String id,
      CoordinatorClient client,
      List<Host> hosts,
      Duration ttl,
      int pauseMs,
      SplittableRandom random,
      Tally tally) {
    this.id = id;
    this.client = client;
    this.hosts = List.copyOf(hosts);
    this.ttl = ttl;
    this.pauseMs = pauseMs;
    this.random = random;
    this.tally = tally;
  }

  /** What it works on from its next start. */
  void assign(Stretch next) {
    this.stretch = next;
  }

  @Override
  public void run() {
    try {
      while (!stretch.isOver()) {
        round();
        TimeUnit.MILLISECONDS.sleep(random.nextInt(2 * pauseMs + 1));
      }
    } catch (Throwable e) {
      stretch.fail(e);
    }
  }

  private void round() throws InterruptedException {
    List<String> names = stretch.names();
    int among = random.nextInt(3) == 0 ? BUSY_LOCKS : names.size();
    String name = names.get(random.nextInt(among));
    int choice = random.nextInt(10);
    if (choice < 3) {
      read(name, hosts.get(random.nextInt(hosts.size())));
    } else if (hasSession()) {
      use(name, choice < 8 ? Duration.ZERO : Duration.ofMillis(random.nextInt(1_000)));
    }
  }

  private boolean hasSession() {
    if (session != null && session.state() != SessionState.EXPIRED) {
      return true;
    }
    try {
      session = client.newSession(ttl);
      session.addListener(this::sessionChanged);
      tally.acknowledged();
      return true;
    } catch (UnavailableException | LeaseExpiredException e) {
      tally.failed();
      return false;
    }
  }

  /**
   * The session counts its TTL from the moment a renewal was sent, so it ends before the lease
   * does. If the cluster says first that it is over, that was too early.
   */
  private void sessionChanged(SessionEvent event) {
    if (event.kind() == SessionEvent.Kind.EXPIRED) {
      if (event.cause() == SessionEvent.Cause.ENDED_BY_CLUSTER) {
        stretch.fail(new Violation("a lease of %s ended early: %s", ttl, event.message()));
      }
      if (event.cause() == SessionEvent.Cause.NO_ANSWER) {
        tally.sessionExpired();
      }
    }
  }

  private void use(String name, Duration wait) throws InterruptedException {
    String label = stretch.nextAcquisition();
    long highestToken = tally.highestToken();
    long startNanos = System.nanoTime();
    Optional<HeldLock> result;
    try {
      DistributedLock lock = session.lock(name).withMetadata(label);
      result = wait.isZero() ? lock.tryAcquire() : lock.acquire(wait);
    } catch (UnavailableException | LeaseExpiredException e) {
      if (e instanceof UnavailableException unavailable && unavailable.outcomeKnown()) {
        tally.failed();
      } else {
        tally.unknown();
        mayHold(name, label, startNanos);
        // To clear up, the SDK asks for the lock once more, without our label.
        mayHold(name, label + "-cleared-up", startNanos);
      }
      return;
    }
    long endNanos = System.nanoTime();
    tally.acknowledged();
    Action asked = new Action.Acquire(label, label);
    if (result.isEmpty()) {
      record(name, asked, new Result.NotAcquired(null), startNanos, endNanos);
      return;
    }
    HeldLock held = result.get();
    record(name, asked, new Result.Granted(held.token()), startNanos, endNanos);
    if (held.token() <= highestToken) {
      throw new Violation(
          "%s was granted with token %d, but %d had been granted before it was asked for",
          name, held.token(), highestToken);
    }
    tally.granted(held.token());
    new Hold(label, held, endNanos).useAndRelease();
  }

  /** An acquisition that nobody heard of again; what it got may have ended at any time, too. */
  private void mayHold(String name, String label, long startNanos) {
    record(
        name, new Action.Acquire(label, label), new Result.Unknown(), startNanos, Operation.OPEN);
    mayEnd(name, label, startNanos);
  }

  private void mayEnd(String name, String label, long startNanos) {
    record(name, new Action.EndLease(label), new Result.Unknown(), startNanos, Operation.OPEN);
  }

  /**
   * To the checker every acquisition is an owner in a lease of its own, named by its label: what
   * ends a hold without an answer is all the same to it.
   */
  private void record(String name, Action action, Result result, long startNanos, long endNanos) {
    stretch.record(name, new Operation(id, action, result, startNanos, endNanos));
  }

  /** A lock that it was told it holds. */
  private final class Hold {

    private final String label;
    private final HeldLock held;

    /** A moment at which the hold was certain, by the SDK's own account. */
    private long certainNanos;

    Hold(String label, HeldLock held, long certainNanos) {
      this.label = label;
      this.held = held;
      this.certainNanos = certainNanos;
    }

    void useAndRelease() throws InterruptedException {
      GuardedRegister register = stretch.register(held.name());
      long value = register.read(held.token());
      requireNotStale(value >= 0);
      if (random.nextInt(4) == 0) {
        TimeUnit.MILLISECONDS.sleep(random.nextInt(20));
      }
      if (value >= 0) {
        boolean written = register.write(held.token(), value + 1);
        requireNotStale(written);
        if (written) {
          tally.guardedWrite();
        }
      }
      isCertain();
      release();
    }

    private boolean isCertain() {
      long nowNanos = System.nanoTime();
      boolean certain = held.isHeld();
      if (certain) {
        certainNanos = nowNanos;
      }
      return certain;
    }

    private void requireNotStale(boolean accepted) {
      if (!accepted && isCertain()) {
        throw new Violation(
            "%s was used with a higher token than %d, whose holder still holds it",
            held.name(), held.token());
      }
    }

    private void release() throws InterruptedException {
      long startNanos = System.nanoTime();
      try {
        held.release().get(RELEASE_LIMIT_MS, TimeUnit.MILLISECONDS);
        tally.acknowledged();
        record(
            held.name(),
            new Action.Release(label, label, held.token()),
            new Result.Released(),
            startNanos,
            System.nanoTime());
      } catch (TimeoutException e) {
        mayHaveEnded();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof LockLostException lost
            && session.state() != SessionState.EXPIRED) {
          throw new Violation("a hold was lost while its session lived: %s", lost.getMessage());
        }
        if (!(e.getCause() instanceof CoordinatorException)) {
          throw new IllegalStateException(e.getCause());
        }
        mayHaveEnded();
      }
    }

    private void mayHaveEnded() {
      tally.unknown();
      mayEnd(held.name(), label, certainNanos);
    }
  }

  private void read(String name, Host host) {
    read(name, host, stretch, tally);
  }

  /** Asks one member who holds a lock; whether it answered. */
  static boolean read(String name, Host host, Stretch stretch, Tally tally) {
    long startNanos = System.nanoTime();
    GetLockResponse response;
    try {
      response =
          LockServiceGrpc.newBlockingStub(host.channel())
              .withDeadlineAfter(READ_LIMIT_MS, TimeUnit.MILLISECONDS)
              .getLock(GetLockRequest.newBuilder().setName(name).build());
    } catch (StatusRuntimeException e) {
      tally.failed();
      return false;
    }
    long endNanos = System.nanoTime();
    tally.acknowledged();
    stretch.record(
        name,
        new Operation(
            "reader", new Action.Read(), new Result.Seen(holder(response)), startNanos, endNanos));
    return true;
  }

  private static Holder holder(GetLockResponse response) {
    if (!response.getLock().hasHolder()) {
      return null;
    }
    LockHolder holder = response.getLock().getHolder();
    return new Holder(
        holder.getToken(), holder.getMetadata().isEmpty() ? null : holder.getMetadata());
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.history;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongSupplier;

/**
 * Records what clients did to locks and what they learnt of leases. Safe for use by many threads.
 *
 * <p>Moments are those of the clock, made to differ by moving the later of two equal ones on by a
 * nanosecond, so that their order is the order in which they were recorded.
 */
public final class History {

  /**
   * An operation that has begun. Ended at most once; one that never ends has an unknown outcome.
   */
  public final class Call {

    private final String client;
    private final Action action;
    private final long invokedNanos;
    private Result result = new Result.Unknown();
    private long returnedNanos = Operation.OPEN;
    private boolean failed;

    private Call(String client, Action action, long invokedNanos) {
      this.client = client;
      this.action = action;
      this.invokedNanos = invokedNanos;
    }

    /** An acquisition got the lock, at whatever attempt. */
    public void granted(long token) {
      returned(new Result.Granted(token));
    }

    /** An acquisition found that its lease and owner held the lock before it began. */
    public void alreadyHeld(long token) {
      returned(new Result.AlreadyHeld(token));
    }

    /**
     * An acquisition found the lock held, or waited in vain.
     *
     * @param holder null if the answer did not tell
     */
    public void notAcquired(Holder holder) {
      returned(new Result.NotAcquired(holder));
    }

    /** A release succeeded. */
    public void released() {
      returned(new Result.Released());
    }

    /**
     * A release was refused.
     *
     * @param presentToken 0 if nobody held the lock
     */
    public void notOwner(long presentToken) {
      returned(new Result.NotOwner(presentToken == 0 ? null : new Holder(presentToken, null)));
    }

    /**
     * A read was answered.
     *
     * @param holder null if the lock was free
     */
    public void saw(Holder holder) {
      returned(new Result.Seen(holder));
    }

    /** The operation had no effect, and will never have one. */
    public void failed() {
      synchronized (History.this) {
        failed = true;
      }
    }

    private void returned(Result known) {
      synchronized (History.this) {
        if (!(result instanceof Result.Unknown) || failed) {
          throw new IllegalStateException(action + " ended twice: " + result + ", " + known);
        }
        result = known;
        returnedNanos = nowNanos();
      }
    }

    private Operation operation() {
      return new Operation(client, action, result, invokedNanos, returnedNanos);
    }
  }

  /** What is known of the end of a lease. */
  private static final class LeaseEnd {
    long promisedUntilNanos = Long.MIN_VALUE;
    long revokedNanos = Long.MAX_VALUE;
    long endedNanos = Operation.OPEN;

    Operation operation(String lease) {
      boolean ended = endedNanos != Operation.OPEN;
      return new Operation(
          "lease",
          new Action.EndLease(lease),
          ended ? new Result.Ended() : new Result.Unknown(),
          Math.min(promisedUntilNanos, revokedNanos),
          endedNanos);
    }
  }

  private final LongSupplier clockNanos;
  private final Map<String, List<Call>> calls = new TreeMap<>();
  private final Map<String, LeaseEnd> leases = new HashMap<>();
  private long lastNanos = Long.MIN_VALUE;

  public History(LongSupplier clockNanos) {
    this.clockNanos = clockNanos;
  }

  /** A moment after all earlier ones. */
  public synchronized long nowNanos() {
    lastNanos = Math.max(lastNanos + 1, clockNanos.getAsLong());
    return lastNanos;
  }

  // Operations; each begins now, so call these before the request leaves.

  /**
   * @param lease the name under which this history knows the lease; for one made on the spot its
   *     nonce will do
   */
  public Call acquire(String client, String lock, String lease, String owner) {
    return begin(client, lock, new Action.Acquire(lease, owner));
  }

  public Call release(String client, String lock, String lease, String owner, long token) {
    return begin(client, lock, new Action.Release(lease, owner, token));
  }

  /** A linearizable look at a lock. */
  public Call read(String client, String lock) {
    return begin(client, lock, new Action.Read());
  }

  private synchronized Call begin(String client, String lock, Action action) {
    Call call = new Call(client, action, nowNanos());
    calls.computeIfAbsent(lock, any -> new ArrayList<>()).add(call);
    return call;
  }

  // Leases. One of which nothing is recorded may end at any time.

  /**
   * A client was told that the lease lives, by the answer to a grant or renewal. It may not end
   * before this time has passed since the request left.
   *
   * @param sentNanos when the first attempt that can have been answered left
   * @param livesNanos the TTL, less what the clocks of the cluster may run fast
   */
  public synchronized void leaseAlive(String lease, long sentNanos, long livesNanos) {
    LeaseEnd end = lease(lease);
    end.promisedUntilNanos = Math.max(end.promisedUntilNanos, sentNanos + livesNanos);
  }

  /** A client is about to ask for the end of the lease: from now on it may end. */
  public synchronized void leaseRevoked(String lease) {
    LeaseEnd end = lease(lease);
    end.revokedNanos = Math.min(end.revokedNanos, nowNanos());
  }

  /** A client was told that the lease has ended: from now on nothing is granted to it. */
  public synchronized void leaseEnded(String lease) {
    LeaseEnd end = lease(lease);
    end.endedNanos = Math.min(end.endedNanos, nowNanos());
  }

  private LeaseEnd lease(String lease) {
    return leases.computeIfAbsent(lease, any -> new LeaseEnd());
  }

  // What was recorded.

  /** The names of the locks, in order. */
  public synchronized Collection<String> locks() {
    return Collections.unmodifiableCollection(new ArrayList<>(calls.keySet()));
  }

  /** All operations on one lock so far, and the ends of the leases that may have held it. */
  public synchronized List<Operation> operations(String lock) {
    List<Operation> operations = new ArrayList<>();
    Set<String> claimants = new TreeSet<>();
    for (Call call : calls.getOrDefault(lock, List.of())) {
      if (!call.failed) {
        operations.add(call.operation());
        if (call.action instanceof Action.Acquire acquire) {
          claimants.add(acquire.lease());
        }
      }
    }
    for (String lease : claimants) {
      LeaseEnd end = leases.get(lease);
      operations.add((end == null ? new LeaseEnd() : end).operation(lease));
    }
    return operations;
  }
}

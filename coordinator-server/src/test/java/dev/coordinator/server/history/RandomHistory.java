// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.history;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Makes histories of one lock: a correct lock serves a few leases, each operation taking effect
 * somewhere between its start and its end, and some answers get lost. Then, sometimes, an error is
 * planted, which may or may not be visible.
 */
final class RandomHistory {

  private final RandomGenerator random;
  private final int concurrency;
  private final double ownersTold;
  private final List<Operation> operations = new ArrayList<>();
  private int nextLease = 1;
  private final List<String> leases = new ArrayList<>();
  private String lease;
  private String owner;
  private long token;
  private long effectNanos;

  /**
   * @param concurrency how many operations are under way at a time, about
   * @param ownersTold how many answers that tell of a holder tell its owner
   */
  RandomHistory(RandomGenerator random, int concurrency, double ownersTold) {
    this.random = random;
    this.concurrency = concurrency;
    this.ownersTold = ownersTold;
    for (int i = 0; i < 3; i++) {
      openLease();
    }
  }

  /** A history that is linearizable. */
  List<Operation> correct(int size, double lostAnswers) {
    while (operations.size() < size) {
      effectNanos += 10;
      boolean lost = random.nextDouble() < lostAnswers;
      boolean happens = !lost || random.nextBoolean();
      Action action = draw();
      Result result = happens ? perform(action) : new Result.Unknown();
      if (lost) {
        if (action instanceof Action.Read) {
          continue;
        }
        result = new Result.Unknown();
      }
      add(action, result);
    }
    return operations;
  }

  /** The same with something changed. */
  List<Operation> withPlantedError(List<Operation> correct) {
    List<Operation> changed = new ArrayList<>(correct);
    int place = random.nextInt(changed.size());
    Operation old = changed.get(place);
    switch (random.nextInt(4)) {
      case 0 -> changed.set(place, with(old, wrong(old.result())));
      case 1 -> {
        int other = random.nextInt(changed.size());
        if (old.action().getClass() == changed.get(other).action().getClass()
            && !old.isOpen()
            && !changed.get(other).isOpen()) {
          changed.set(place, with(old, changed.get(other).result()));
        }
      }
      case 2 -> changed.set(place, shifted(old, random.nextInt(-60, 61)));
      default -> {
        if (!old.isOpen() && !(old.action() instanceof Action.EndLease)) {
          changed.remove(place);
        }
      }
    }
    return changed;
  }

  long maxToken() {
    return token + 3;
  }

  private void openLease() {
    leases.add("L" + nextLease++);
  }

  private Action draw() {
    String some = leases.get(random.nextInt(leases.size()));
    String as = some + (random.nextInt(3) == 0 ? "/b" : "/a");
    return switch (random.nextInt(8)) {
      case 0, 1, 2 -> new Action.Acquire(some, as);
      case 3, 4 ->
          lease == null || random.nextInt(6) == 0
              ? new Action.Release(some, as, Math.max(1, token))
              : new Action.Release(lease, owner, token);
      case 5 -> endOf(leases.contains(lease) && random.nextBoolean() ? lease : some);
      default -> new Action.Read();
    };
  }

  private Action endOf(String what) {
    leases.remove(what);
    openLease();
    return new Action.EndLease(what);
  }

  private Result perform(Action action) {
    if (action instanceof Action.Acquire acquire) {
      if (lease == null) {
        lease = acquire.lease();
        owner = acquire.owner();
        token += random.nextInt(1, 3);
        return new Result.Granted(token);
      }
      return lease.equals(acquire.lease()) && owner.equals(acquire.owner())
          ? new Result.AlreadyHeld(token)
          : new Result.NotAcquired(random.nextDouble() < ownersTold ? holder() : null);
    } else if (action instanceof Action.Release release) {
      if (lease == null
          || token != release.token()
          || !lease.equals(release.lease())
          || !owner.equals(release.owner())) {
        // Ours never release the token of another's grant; the model does not say what happens.
        return lease != null && token == release.token()
            ? new Result.Unknown()
            : new Result.NotOwner(lease == null ? null : new Holder(token, null));
      }
      lease = null;
      return new Result.Released();
    } else if (action instanceof Action.EndLease end) {
      if (end.lease().equals(lease)) {
        lease = null;
      }
      return new Result.Ended();
    }
    return new Result.Seen(lease == null ? null : holder());
  }

  private Holder holder() {
    return new Holder(token, random.nextDouble() < ownersTold ? owner : null);
  }

  private void add(Action action, Result result) {
    int reach = 10 * concurrency;
    long invoked = effectNanos - random.nextInt(1, reach);
    long returned =
        result instanceof Result.Unknown ? Operation.OPEN : effectNanos + random.nextInt(1, reach);
    operations.add(
        new Operation("client-" + operations.size() % 5, action, result, invoked, returned));
  }

  private Result wrong(Result right) {
    long otherToken = random.nextLong(1, token + 3);
    Holder other = random.nextBoolean() ? null : new Holder(otherToken, null);
    if (right instanceof Result.Granted) {
      return new Result.Granted(otherToken);
    } else if (right instanceof Result.AlreadyHeld) {
      return new Result.Granted(otherToken);
    } else if (right instanceof Result.NotAcquired) {
      return new Result.NotAcquired(other);
    } else if (right instanceof Result.Released) {
      return new Result.NotOwner(other);
    } else if (right instanceof Result.NotOwner) {
      return new Result.Released();
    } else if (right instanceof Result.Seen) {
      return new Result.Seen(other);
    }
    return right;
  }

  private static Operation with(Operation old, Result result) {
    return new Operation(
        old.client(), old.action(), result, old.invokedNanos(), old.returnedNanos());
  }

  private static Operation shifted(Operation old, long nanos) {
    long returned = old.isOpen() ? Operation.OPEN : old.returnedNanos() + nanos;
    return new Operation(
        old.client(), old.action(), old.result(), old.invokedNanos() + nanos, returned);
  }
}

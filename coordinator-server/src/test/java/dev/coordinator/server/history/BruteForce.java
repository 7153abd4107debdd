// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.history;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Tries every order of a short history, every subset of the operations without an answer, and every
 * token that an acquisition without an answer can have got. Shares nothing with the checker.
 */
final class BruteForce {

  private final List<Operation> operations;
  private final long maxToken;
  private final boolean[] done;
  private final Set<String> endedLeases = new HashSet<>();
  private String lease;
  private String owner;
  private long token;

  private BruteForce(List<Operation> operations, long maxToken) {
    this.operations = operations;
    this.maxToken = maxToken;
    this.done = new boolean[operations.size()];
  }

  /**
   * @param maxToken no smaller than any token that the operations tell of
   */
  static boolean isLinearizable(List<Operation> operations, long maxToken) {
    return new BruteForce(operations, maxToken).canGoOn();
  }

  private boolean canGoOn() {
    long firstReturn = Long.MAX_VALUE;
    for (int i = 0; i < done.length; i++) {
      if (!done[i]) {
        firstReturn = Math.min(firstReturn, operations.get(i).returnedNanos());
      }
    }
    if (firstReturn == Operation.OPEN) {
      return true; // What is left need not happen.
    }
    for (int i = 0; i < done.length; i++) {
      if (!done[i] && operations.get(i).invokedNanos() <= firstReturn && canDo(i)) {
        return true;
      }
    }
    return false;
  }

  private boolean canDo(int number) {
    Operation operation = operations.get(number);
    if (operation.action() instanceof Action.Acquire acquire && operation.isOpen()) {
      for (long got = token + 1; got <= maxToken + 1; got++) {
        if (canDo(number, acquire, new Result.Granted(got))) {
          return true;
        }
      }
      return false;
    }
    Result result =
        operation.isOpen() && operation.action() instanceof Action.Release
            ? new Result.Released()
            : operation.result();
    return canDo(number, operation.action(), result);
  }

  private boolean canDo(int number, Action action, Result result) {
    String leaseBefore = lease;
    String ownerBefore = owner;
    long tokenBefore = token;
    boolean endedNow = false;
    boolean fits;
    if (action instanceof Action.EndLease end) {
      endedNow = endedLeases.add(end.lease());
      if (end.lease().equals(lease)) {
        lease = null;
      }
      fits = true;
    } else {
      fits = step(action, result);
    }
    done[number] = true;
    boolean found = fits && canGoOn();
    done[number] = false;
    lease = leaseBefore;
    owner = ownerBefore;
    token = tokenBefore;
    if (endedNow) {
      endedLeases.remove(((Action.EndLease) action).lease());
    }
    return found;
  }

  private boolean step(Action action, Result result) {
    if (action instanceof Action.Read) {
      return shows(((Result.Seen) result).holder());
    } else if (action instanceof Action.Release release) {
      boolean owns =
          lease != null
              && lease.equals(release.lease())
              && owner.equals(release.owner())
              && token == release.token();
      if (result instanceof Result.NotOwner refused) {
        return shows(refused.holder()) && (lease == null || token != release.token());
      }
      if (owns) {
        lease = null;
      }
      return owns;
    }
    Action.Acquire acquire = (Action.Acquire) action;
    if (endedLeases.contains(acquire.lease())) {
      return false;
    }
    boolean owns = lease != null && lease.equals(acquire.lease()) && owner.equals(acquire.owner());
    if (result instanceof Result.AlreadyHeld held) {
      return owns && token == held.token();
    } else if (result instanceof Result.NotAcquired refused) {
      return lease != null && !owns && (refused.holder() == null || shows(refused.holder()));
    }
    long got = ((Result.Granted) result).token();
    if (lease != null || got <= token) {
      return false;
    }
    lease = acquire.lease();
    owner = acquire.owner();
    token = got;
    return true;
  }

  private boolean shows(Holder holder) {
    if (holder == null || lease == null) {
      return holder == null && lease == null;
    }
    return token == holder.token() && (holder.owner() == null || holder.owner().equals(owner));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import static dev.coordinator.server.machine.InvariantViolation.invariant;

import java.util.Map;
import java.util.TreeMap;

/**
 * What is true of a machine between any two entries. Remembers what it saw, so that it also notices
 * tokens and times that fall.
 */
public final class MachineInvariants {

  private final CoordinatorMachine machine;
  private final Map<String, Long> tokensSeen = new TreeMap<>();
  private long highestToken;
  private long appliedIndex;
  private long clusterTimeMs;

  public MachineInvariants(CoordinatorMachine machine) {
    this.machine = machine;
  }

  /** Checks the state and how it came from the one of the last call. */
  public void check() {
    check(machine);
    checkProgress();
  }

  /** Checks the state by itself. */
  public static void check(CoordinatorMachine machine) {
    checkShape(machine.leases().all(), OrderedMap.Order.BY_NUMBER);
    checkShape(machine.locks().all(), Utf8Order.INSTANCE);
    int timed = 0;
    int waits = 0;
    int claims = 0;
    for (Lock lock : machine.locks().all().values()) {
      checkShape(lock.waiters, OrderedMap.Order.BY_NUMBER);
      invariant(lock.holder != null, "lock %s is free", lock.name);
      invariant(lock.holder.isHolding(), "holder of %s waits", lock.name);
      invariant(lock.holder.token() > 0, "holder of %s has no token", lock.name);
      checkClaim(machine, lock, lock.holder);
      claims += 1 + lock.waiters.size();
      waits += lock.waiters.size();
      for (Claim claim : lock.waiters.values()) {
        invariant(
            claim.equals(lock.waiters.get(claim.id())), "waiter %d is out of place", claim.id());
        timed += checkWaiter(machine, lock, claim);
      }
    }
    invariant(waits == machine.locks().waitCount(), "%d waits, not all in a queue", waits);
    for (Lease lease : machine.leases().all().values()) {
      claims -= lease.claims.size();
      timed += checkLease(machine, lease);
    }
    invariant(claims == 0, "%d claims of locks are not those of leases", claims);
    invariant(timed == machine.deadlines().size(), "%d deadlines are not queued", timed);
  }

  /** An AVL tree in which nothing is older than what it is reached by. */
  static <K> void checkShape(OrderedMap<K, ?> map, OrderedMap.Order<K> order) {
    int size = map.root() == null ? 0 : checkShape(map.root(), null, null, order);
    invariant(size == map.size(), "a map of %d values says %d", size, map.size());
  }

  /** How many values are there, all between two keys, either of which may be null. */
  private static <K> int checkShape(
      OrderedMap.Node<K, ?> node, K above, K below, OrderedMap.Order<K> order) {
    K key = node.key;
    invariant(above == null || compare(order, above, key) < 0, "%s is not above %s", key, above);
    invariant(below == null || compare(order, key, below) < 0, "%s is not below %s", key, below);
    int left = node.left == null ? 0 : node.left.height;
    int right = node.right == null ? 0 : node.right.height;
    invariant(node.rank == order.rank(key), "the rank of %s is wrong", key);
    invariant(node.height == 1 + Math.max(left, right), "the height at %s is wrong", key);
    invariant(Math.abs(left - right) <= 1, "the sides of %s differ too much", key);
    int size = 1;
    if (node.left != null) {
      invariant(node.left.generation <= node.generation, "left of %s was not copied", key);
      size += checkShape(node.left, above, key, order);
    }
    if (node.right != null) {
      invariant(node.right.generation <= node.generation, "right of %s was not copied", key);
      size += checkShape(node.right, key, below, order);
    }
    return size;
  }

  private static <K> int compare(OrderedMap.Order<K> order, K left, K right) {
    int byRank = Long.compare(order.rank(left), order.rank(right));
    return byRank != 0 ? byRank : order.compareEquallyRanked(left, right);
  }

  private static void checkClaim(CoordinatorMachine machine, Lock lock, Claim claim) {
    invariant(claim.lockName().equals(lock.name), "claim %d is at the wrong lock", claim.id());
    Lease lease = machine.leases().find(claim.leaseId());
    invariant(
        lease != null,
        "claim %d on %s is that of ended lease %d",
        claim.id(),
        lock.name,
        claim.leaseId());
    invariant(
        claim.equals(lease.claims.get(claim.key())),
        "lease %d does not know its claim %d",
        lease.id,
        claim.id());
    invariant(claim.sinceMs() <= machine.clusterTimeMs(), "claim %d is of the future", claim.id());
    invariant(claim.id() <= machine.appliedIndex(), "claim %d is of a later entry", claim.id());
    invariant(
        claim.token() <= machine.appliedIndex(), "token %d is of a later entry", claim.token());
  }

  /** How many places it takes in the queue of deadlines. */
  private static int checkWaiter(CoordinatorMachine machine, Lock lock, Claim claim) {
    invariant(!claim.isHolding() && claim.token() == 0, "waiter %d has a token", claim.id());
    checkClaim(machine, lock, claim);
    Claim.Waiting waiting = claim.waiting();
    invariant(
        claim.equals(machine.locks().findWait(waiting.replyIndex())),
        "wait %d is not found by its reply",
        claim.id());
    if (waiting.requestNumber() != 0) {
      RequestHistory.Request request =
          machine.leases().find(claim.leaseId()).history().find(waiting.requestNumber());
      invariant(
          request != null && request.isWaiting() && claim.key().equals(request.key()),
          "request of claim %d waits elsewhere",
          claim.id());
    }
    invariant(
        (waiting.deadline() == null) == (waiting.deadlineMs() == DeadlineQueue.NEVER),
        "claim %d has the wrong kind of deadline",
        claim.id());
    if (waiting.deadline() == null) {
      return 0;
    }
    invariant(waiting.deadline().lockName.equals(lock.name), "%d ends elsewhere", claim.id());
    invariant(waiting.deadline().id == claim.id(), "%d ends as another", claim.id());
    return checkDeadline(machine, waiting.deadline(), waiting.deadlineMs());
  }

  private static int checkLease(CoordinatorMachine machine, Lease lease) {
    checkShape(lease.claims, Claim.Key.ORDER);
    for (Claim claim : lease.claims.values()) {
      Lock lock = machine.locks().find(claim.lockName());
      invariant(
          lock != null && (claim.equals(lock.holder) || claim.equals(lock.waiters.get(claim.id()))),
          "lock %s does not know claim %d",
          claim.lockName(),
          claim.id());
    }
    if (!lease.nonce.isEmpty()) {
      invariant(
          machine.leases().editByNonce(lease.nonce) == machine.leases().find(lease.id),
          "lease %d is not found by its nonce",
          lease.id);
    }
    Claim madeFor = lease.madeFor == null ? null : lease.claims.get(lease.madeFor);
    invariant(lease.madeFor == null || madeFor != null, "lease %d outlives its claim", lease.id);
    invariant(
        (madeFor != null && !madeFor.isHolding()) == (lease.deadlineMs == DeadlineQueue.NEVER),
        "lease %d has the wrong kind of deadline",
        lease.id);
    if (lease.history() != null) {
      checkHistory(lease);
    }
    invariant(
        lease.deadline.isOfLease() && lease.deadline.id == lease.id,
        "lease %d ends as another",
        lease.id);
    return checkDeadline(machine, lease.deadline, lease.deadlineMs);
  }

  private static void checkHistory(Lease lease) {
    RequestHistory history = lease.history();
    checkShape(history.requests(), OrderedMap.Order.BY_NUMBER);
    invariant(
        history.requests().size() <= RequestHistory.MAX_UNACKNOWLEDGED,
        "lease %d remembers too many requests",
        lease.id);
    for (RequestHistory.Request request : history.requests().values()) {
      invariant(
          request.number() >= history.acknowledgedBelow(),
          "lease %d remembers acknowledged request %d",
          lease.id,
          request.number());
      if (request.isWaiting()) {
        Claim claim = lease.claims.get(request.key());
        invariant(
            claim != null
                && !claim.isHolding()
                && claim.waiting().requestNumber() == request.number(),
            "request %d of lease %d waits with a claim that is gone",
            request.number(),
            lease.id);
      }
    }
  }

  /** How many places it takes in the queue of deadlines. */
  private static int checkDeadline(CoordinatorMachine machine, Deadline deadline, long timeMs) {
    invariant(deadline.timeMs == timeMs, "%d ends at another time than queued", deadline.id);
    if (timeMs == DeadlineQueue.NEVER) {
      invariant(deadline.heapPosition < 0, "%d has no deadline, but is queued", deadline.id);
      return 0;
    }
    invariant(deadline.heapPosition >= 0, "the deadline of %d is not queued", deadline.id);
    invariant(timeMs > machine.clusterTimeMs(), "%d is overdue", deadline.id);
    invariant(timeMs >= machine.deadlines().nextMs(), "%d is due before the next", deadline.id);
    return 1;
  }

  private void checkProgress() {
    invariant(machine.appliedIndex() >= appliedIndex, "the applied index fell");
    invariant(machine.clusterTimeMs() >= clusterTimeMs, "time fell");
    long highestBefore = highestToken;
    for (Lock lock : machine.locks().all().values()) {
      long token = lock.holder.token();
      long before = tokensSeen.getOrDefault(lock.name, 0L);
      invariant(
          token == before || token > highestBefore,
          "lock %s went from token %d to %d, while %d was given",
          lock.name,
          before,
          token,
          highestBefore);
      tokensSeen.put(lock.name, token);
      highestToken = Math.max(highestToken, token);
    }
    appliedIndex = machine.appliedIndex();
    clusterTimeMs = machine.clusterTimeMs();
  }
}

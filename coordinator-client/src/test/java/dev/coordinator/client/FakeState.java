// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client;

import dev.coordinator.v1.AcquireLockRequest;
import dev.coordinator.v1.AcquireLockResponse;
import dev.coordinator.v1.AcquireLockResponse.Outcome;
import dev.coordinator.v1.CheckSequencerResponse;
import dev.coordinator.v1.ErrorReason;
import dev.coordinator.v1.GetLockResponse;
import dev.coordinator.v1.GrantLeaseRequest;
import dev.coordinator.v1.GrantLeaseResponse;
import dev.coordinator.v1.KeepAliveRequest;
import dev.coordinator.v1.KeepAliveResponse;
import dev.coordinator.v1.LeaseRenewal;
import dev.coordinator.v1.Lock;
import dev.coordinator.v1.LockEvent;
import dev.coordinator.v1.LockHolder;
import dev.coordinator.v1.LockWaiter;
import dev.coordinator.v1.ReleaseLockRequest;
import dev.coordinator.v1.ReleaseLockResponse;
import dev.coordinator.v1.RevokeLeaseResponse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/**
 * Leases and locks as the contract describes them, in one object for all fake members. Time does
 * not pass here: leases and waits end when a test says so, except that a wait of zero is answered
 * at once.
 */
final class FakeState {

  private static final int MAX_UNACKNOWLEDGED = 1_024;

  private record Waiter(
      AcquireLockRequest request, CompletableFuture<AcquireLockResponse> answer) {}

  private static final class LockState {
    Waiter holder;
    long token;
    final List<Waiter> queue = new ArrayList<>();
  }

  private static final class LeaseState {
    GrantLeaseRequest grant;
    long acknowledgedBelow;
    final Map<Long, CompletableFuture<?>> outcomes = new HashMap<>();
  }

  private final Map<Long, LeaseState> leases = new TreeMap<>();
  private final Map<String, LockState> locks = new TreeMap<>();
  private final List<LockEvent> events = new ArrayList<>();
  private long revision = 100;
  private long oldestRevision;
  private int refusedForNumbers;

  synchronized GrantLeaseResponse grant(GrantLeaseRequest request) {
    for (Map.Entry<Long, LeaseState> lease : leases.entrySet()) {
      if (!request.getNonce().isEmpty()
          && lease.getValue().grant.getNonce().equals(request.getNonce())) {
        return granted(lease.getKey(), request);
      }
    }
    LeaseState lease = new LeaseState();
    lease.grant = request;
    leases.put(++revision, lease);
    return granted(revision, request);
  }

  private GrantLeaseResponse granted(long id, GrantLeaseRequest request) {
    return GrantLeaseResponse.newBuilder().setLeaseId(id).setTtl(request.getTtl()).build();
  }

  /** Ends a lease as the cluster would. */
  synchronized RevokeLeaseResponse end(long leaseId, LockEvent.Kind kind) {
    if (leases.remove(leaseId) == null) {
      throw FakeError.of(ErrorReason.ERROR_REASON_LEASE_NOT_FOUND, "lease_id", "" + leaseId);
    }
    revision++;
    for (Map.Entry<String, LockState> entry : locks.entrySet()) {
      LockState lock = entry.getValue();
      for (Iterator<Waiter> waiters = lock.queue.iterator(); waiters.hasNext(); ) {
        Waiter waiter = waiters.next();
        if (waiter.request.getLeaseId() == leaseId) {
          waiters.remove();
          waiter.answer.completeExceptionally(
              FakeError.of(ErrorReason.ERROR_REASON_LEASE_EXPIRED, "lease_id", "" + leaseId));
        }
      }
      if (lock.holder != null && lock.holder.request.getLeaseId() == leaseId) {
        free(lock, kind);
      }
    }
    return RevokeLeaseResponse.getDefaultInstance();
  }

  synchronized boolean isAlive(long leaseId) {
    return leases.containsKey(leaseId);
  }

  synchronized int leaseCount() {
    return leases.size();
  }

  synchronized KeepAliveResponse keepAlive(KeepAliveRequest request) {
    KeepAliveResponse.Builder response =
        KeepAliveResponse.newBuilder().setSequence(request.getSequence());
    for (long id : request.getLeaseIdsList()) {
      LeaseRenewal.Builder renewal = LeaseRenewal.newBuilder().setLeaseId(id);
      LeaseState lease = leases.get(id);
      if (lease != null) {
        renewal.setAlive(true).setTtl(lease.grant.getTtl());
      }
      response.addRenewals(renewal);
    }
    return response.build();
  }

  /** A repeated numbered request gets the outcome, or the place, of the first one. */
  @SuppressWarnings("unchecked")
  synchronized CompletableFuture<AcquireLockResponse> acquire(AcquireLockRequest request) {
    CompletableFuture<AcquireLockResponse> answer = new CompletableFuture<>();
    LeaseState lease = lease(request.getLeaseId());
    CompletableFuture<?> known =
        number(lease, request.getRequestId().getNumber(), request.getRequestId(), answer);
    if (known != null) {
      return (CompletableFuture<AcquireLockResponse>) known;
    }
    LockState lock = locks.computeIfAbsent(request.getName(), name -> new LockState());
    int earlier = takeOut(lock, request);
    Waiter waiter = new Waiter(request, answer);
    if (lock.holder == null) {
      hold(lock, waiter, Outcome.OUTCOME_ACQUIRED);
    } else if (sameOwner(lock.holder.request, request)) {
      answer.complete(acquired(Outcome.OUTCOME_ALREADY_HELD, lock.token, request.getLeaseId()));
    } else if (isZeroWait(request)) {
      answer.complete(
          AcquireLockResponse.newBuilder().setOutcome(Outcome.OUTCOME_HELD_BY_OTHER).build());
    } else {
      lock.queue.add(earlier >= 0 ? earlier : lock.queue.size(), waiter);
    }
    return answer;
  }

  /** A further request of an owner takes over its place, which is given back; -1 without one. */
  private static int takeOut(LockState lock, AcquireLockRequest request) {
    for (int place = 0; place < lock.queue.size(); place++) {
      if (sameOwner(lock.queue.get(place).request, request)) {
        lock.queue
            .remove(place)
            .answer
            .completeExceptionally(
                FakeError.of(ErrorReason.ERROR_REASON_WAIT_CANCELLED, "name", request.getName()));
        return place;
      }
    }
    return -1;
  }

  private CompletableFuture<?> number(
      LeaseState lease, long number, dev.coordinator.v1.RequestId id, CompletableFuture<?> answer) {
    if (number == 0) {
      return null;
    }
    if (number < lease.acknowledgedBelow) {
      throw FakeError.of(ErrorReason.ERROR_REASON_REQUEST_FORGOTTEN, "number", "" + number);
    }
    lease.acknowledgedBelow = Math.max(lease.acknowledgedBelow, id.getAcknowledgedBelow());
    lease.outcomes.keySet().removeIf(old -> old < lease.acknowledgedBelow);
    if (lease.outcomes.size() >= MAX_UNACKNOWLEDGED) {
      refusedForNumbers++;
      throw FakeError.of(ErrorReason.ERROR_REASON_LIMIT_REACHED, "limit", "unacknowledged");
    }
    return lease.outcomes.putIfAbsent(number, answer);
  }

  private static boolean isZeroWait(AcquireLockRequest request) {
    return request.hasWaitTimeout()
        && request.getWaitTimeout().getSeconds() == 0
        && request.getWaitTimeout().getNanos() == 0;
  }

  private static boolean sameOwner(AcquireLockRequest a, AcquireLockRequest b) {
    return a.getLeaseId() == b.getLeaseId() && a.getOwner().equals(b.getOwner());
  }

  private void hold(LockState lock, Waiter waiter, Outcome outcome) {
    lock.holder = waiter;
    lock.token = ++revision;
    event(LockEvent.Kind.KIND_ACQUIRED, lock);
    waiter.answer.complete(acquired(outcome, lock.token, waiter.request.getLeaseId()));
  }

  private static AcquireLockResponse acquired(Outcome outcome, long token, long leaseId) {
    return AcquireLockResponse.newBuilder()
        .setOutcome(outcome)
        .setToken(token)
        .setLeaseId(leaseId)
        .build();
  }

  /** Takes a wait out of the queue, as a member does when its caller hangs up. */
  synchronized void cancelWait(CompletableFuture<AcquireLockResponse> answer) {
    for (LockState lock : locks.values()) {
      if (lock.queue.removeIf(waiter -> waiter.answer == answer)) {
        answer.completeExceptionally(
            FakeError.of(ErrorReason.ERROR_REASON_WAIT_CANCELLED, "name", ""));
      }
    }
  }

  /** Ends all waits for a lock as if their time were over. */
  synchronized void timeOut(String name) {
    LockState lock = locks.get(name);
    for (Waiter waiter : lock.queue) {
      waiter.answer.complete(
          AcquireLockResponse.newBuilder().setOutcome(Outcome.OUTCOME_TIMED_OUT).build());
    }
    lock.queue.clear();
  }

  synchronized ReleaseLockResponse release(ReleaseLockRequest request) {
    LeaseState lease = lease(request.getLeaseId());
    CompletableFuture<Object> done = CompletableFuture.completedFuture(request);
    if (number(lease, request.getRequestId().getNumber(), request.getRequestId(), done) != null) {
      return ReleaseLockResponse.getDefaultInstance();
    }
    LockState lock = locks.get(request.getName());
    if (lock == null || lock.holder == null || lock.token != request.getToken()) {
      throw FakeError.of(ErrorReason.ERROR_REASON_NOT_LOCK_OWNER, "name", request.getName());
    }
    revision++;
    free(lock, LockEvent.Kind.KIND_RELEASED);
    return ReleaseLockResponse.getDefaultInstance();
  }

  /** Takes a lock from its holder, as an operator might. */
  synchronized void takeAway(String name) {
    revision++;
    free(locks.get(name), LockEvent.Kind.KIND_REVOKED);
  }

  private void free(LockState lock, LockEvent.Kind kind) {
    event(kind, lock);
    lock.holder = null;
    if (!lock.queue.isEmpty()) {
      hold(lock, lock.queue.remove(0), Outcome.OUTCOME_ACQUIRED);
    }
  }

  private LeaseState lease(long leaseId) {
    LeaseState lease = leases.get(leaseId);
    if (lease == null) {
      throw FakeError.of(ErrorReason.ERROR_REASON_LEASE_NOT_FOUND, "lease_id", "" + leaseId);
    }
    return lease;
  }

  synchronized CheckSequencerResponse check(String name, long token) {
    LockState lock = locks.get(name);
    long current = lock == null || lock.holder == null ? 0 : lock.token;
    return CheckSequencerResponse.newBuilder()
        .setValid(current == token && token != 0)
        .setCurrentToken(current)
        .build();
  }

  synchronized GetLockResponse get(String name) {
    LockState lock = locks.get(name);
    GetLockResponse.Builder response = GetLockResponse.newBuilder();
    return lock == null || lock.holder == null
        ? response.build()
        : response.setLock(describe(name, lock)).build();
  }

  private static Lock describe(String name, LockState lock) {
    Lock.Builder described = Lock.newBuilder().setName(name);
    described.setHolder(
        LockHolder.newBuilder()
            .setLeaseId(lock.holder.request.getLeaseId())
            .setOwner(lock.holder.request.getOwner())
            .setMetadata(lock.holder.request.getMetadata())
            .setToken(lock.token));
    for (Waiter waiter : lock.queue) {
      described.addWaiters(
          LockWaiter.newBuilder()
              .setLeaseId(waiter.request.getLeaseId())
              .setOwner(waiter.request.getOwner()));
    }
    return described.setWaiterCount(lock.queue.size()).build();
  }

  synchronized boolean isFree(String name) {
    LockState lock = locks.get(name);
    return lock == null || lock.holder == null;
  }

  synchronized int waiters(String name) {
    LockState lock = locks.get(name);
    return lock == null ? 0 : lock.queue.size();
  }

  /** How many requests came when too many of their lease were not acknowledged. */
  synchronized int refusedForNumbers() {
    return refusedForNumbers;
  }

  synchronized long revision() {
    return revision;
  }

  synchronized List<Lock> heldLocks(String prefix) {
    List<Lock> held = new ArrayList<>();
    locks.forEach(
        (name, lock) -> {
          if (name.startsWith(prefix) && lock.holder != null) {
            held.add(describe(name, lock));
          }
        });
    return held;
  }

  private void event(LockEvent.Kind kind, LockState lock) {
    AcquireLockRequest request = lock.holder.request;
    long ordinal = events.stream().filter(event -> event.getRevision() == revision).count();
    events.add(
        LockEvent.newBuilder()
            .setRevision(revision)
            .setOrdinal((int) ordinal)
            .setKind(kind)
            .setName(request.getName())
            .setLeaseId(request.getLeaseId())
            .setOwner(request.getOwner())
            .setToken(lock.token)
            .setMetadata(request.getMetadata())
            .build());
    notifyAll();
  }

  /** Forgets the events so far. */
  synchronized void compact() {
    oldestRevision = revision + 1;
    events.clear();
  }

  synchronized long oldestRevision() {
    return oldestRevision;
  }

  synchronized List<LockEvent> eventsFrom(long startRevision, String prefix) {
    return events.stream()
        .filter(event -> event.getRevision() >= startRevision && event.getName().startsWith(prefix))
        .toList();
  }

  synchronized List<LockEvent> events() {
    return List.copyOf(events);
  }
}

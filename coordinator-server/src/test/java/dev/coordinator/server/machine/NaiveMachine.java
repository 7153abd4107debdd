// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * What a {@link CoordinatorMachine} should do, written to be read: two lists, searched from end to
 * end, and no index, heap or cross-reference to keep up to date.
 */
final class NaiveMachine {

  static final Comparator<String> BY_BYTES =
      (a, b) ->
          Arrays.compareUnsigned(
              a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));

  static final class NaiveLease {
    long id;
    Command.GrantLease grant;
    long deadlineMs = Long.MAX_VALUE;
    boolean ownedByClaim;
    long acknowledgedBelow;
    final Map<Long, NaiveRequest> requests = new TreeMap<>();
  }

  static final class NaiveRequest {
    List<String> pair;
    Object content;
    Outcome outcome;
  }

  static final class NaiveClaim {
    String name;
    String owner;
    String metadata;
    NaiveLease lease;
    boolean ownsLease;
    long place;
    long replyIndex;
    long sinceMs;
    long deadlineMs = Long.MAX_VALUE;
    long token;
    NaiveRequest request;
  }

  final List<NaiveLease> leases = new ArrayList<>();

  /** Those that hold and those that wait, in the order in which they came. */
  final List<NaiveClaim> claims = new ArrayList<>();

  private long index;
  private long timeMs;
  private ApplyResult result;
  private List<String> freed;
  private NaiveClaim impatient;

  void apply(long index, long timeMs, Command command, ApplyResult result) {
    this.index = index;
    this.timeMs = Math.max(this.timeMs, timeMs);
    this.result = result;
    freed = new ArrayList<>();
    impatient = null;

    while (endFirstDue()) {}
    Outcome outcome = execute(command);
    if (outcome != null) {
      reply(index, outcome);
    }
    boolean dismissed =
        impatient != null
            && (holder(impatient.name) != null || waiters(impatient.name).get(0) != impatient);
    if (dismissed) {
      remove(impatient);
    }
    for (String name : freed) {
      if (holder(name) == null && !waiters(name).isEmpty()) {
        grant(waiters(name).get(0));
      }
    }
    if (dismissed) {
      answer(impatient, notAcquired(impatient, false));
    }
  }

  private boolean endFirstDue() {
    NaiveLease lease = null;
    NaiveClaim wait = null;
    long dueMs = timeMs;
    long dueId = Long.MAX_VALUE;
    for (NaiveLease each : leases) {
      if (each.deadlineMs < dueMs || each.deadlineMs == dueMs && each.id < dueId) {
        lease = each;
        dueMs = each.deadlineMs;
        dueId = each.id;
      }
    }
    for (NaiveClaim each : claims) {
      if (each.deadlineMs < dueMs || each.deadlineMs == dueMs && each.place < dueId) {
        wait = each;
        dueMs = each.deadlineMs;
        dueId = each.place;
      }
    }
    if (wait != null) {
      answer(wait, notAcquired(wait, true));
      remove(wait);
    } else if (lease != null) {
      end(lease, Event.Cause.EXPIRED);
    }
    return wait != null || lease != null;
  }

  private Outcome execute(Command command) {
    if (command instanceof Command.GrantLease grant) {
      NaiveLease lease = leaseWithNonce(grant.nonce());
      if (lease != null && lease.ownedByClaim) {
        return new Outcome.RequestMismatch(0);
      }
      if (lease == null) {
        lease = make(grant);
      }
      lease.deadlineMs = timeMs + lease.grant.ttlMs();
      return new Outcome.LeaseGranted(lease.id, lease.grant.ttlMs());
    }
    if (command instanceof Command.RevokeLease revoke) {
      NaiveLease lease = lease(revoke.leaseId());
      if (lease == null) {
        return new Outcome.LeaseNotFound(revoke.leaseId());
      }
      end(lease, Event.Cause.REVOKED);
      return new Outcome.LeaseRevoked(lease.id);
    }
    if (command instanceof Command.RenewLeases renew) {
      return new Outcome.LeasesRenewed(renew.leaseIds().stream().map(this::renew).toList());
    }
    if (command instanceof Command.AcquireLock acquire) {
      return acquire.ownLease() != null
          ? acquireWithOwnLease(acquire)
          : numbered(
              acquire.leaseId(),
              acquire.requestId(),
              List.of("acquire", acquire.name(), acquire.owner(), acquire.metadata()),
              acquire,
              null);
    }
    if (command instanceof Command.ReleaseLock release) {
      return numbered(
          release.leaseId(),
          release.requestId(),
          List.of("release", release.name(), release.owner(), release.token()),
          null,
          release);
    }
    if (command instanceof Command.CancelWait cancel) {
      for (NaiveClaim claim : List.copyOf(claims)) {
        if (claim.token == 0
            && claim.replyIndex == cancel.acquireIndex()
            && claim.name.equals(cancel.name())) {
          cancel(claim);
        }
      }
    }
    return Outcome.Done.INSTANCE;
  }

  private Outcome.Renewal renew(long leaseId) {
    NaiveLease lease = lease(leaseId);
    if (lease == null) {
      return new Outcome.Renewal(leaseId, false, 0, 0);
    }
    long ttlMs = lease.grant.ttlMs();
    if (lease.deadlineMs == Long.MAX_VALUE) {
      return new Outcome.Renewal(leaseId, true, ttlMs, ttlMs);
    }
    long slackMs = lease.deadlineMs - timeMs;
    lease.deadlineMs = timeMs + ttlMs;
    return new Outcome.Renewal(leaseId, true, ttlMs, slackMs);
  }

  private Outcome numbered(
      long leaseId,
      RequestId id,
      Object content,
      Command.AcquireLock acquire,
      Command.ReleaseLock release) {
    NaiveLease lease = lease(leaseId);
    if (lease == null) {
      return new Outcome.LeaseNotFound(leaseId);
    }
    NaiveRequest request = null;
    if (!id.isNone()) {
      acknowledge(lease, Math.min(id.number(), id.acknowledgedBelow()));
      if (lease(leaseId) == null) {
        return new Outcome.LeaseNotFound(leaseId);
      }
      if (id.number() < lease.acknowledgedBelow) {
        return new Outcome.RequestForgotten(id.number(), lease.acknowledgedBelow);
      }
      List<String> pair =
          acquire != null
              ? List.of(acquire.name(), acquire.owner())
              : List.of(release.name(), release.owner());
      NaiveRequest known = lease.requests.get(id.number());
      if (known != null) {
        return !known.content.equals(content)
            ? new Outcome.RequestMismatch(id.number())
            : repeat(known);
      }
      for (var later : lease.requests.entrySet()) {
        if (later.getKey() > id.number() && later.getValue().pair.equals(pair)) {
          return new Outcome.RequestOvertaken(id.number(), later.getKey());
        }
      }
      if (lease.requests.size() == 1_024) {
        return new Outcome.TooManyUnacknowledged(leaseId, 1_024);
      }
      request = new NaiveRequest();
      request.pair = pair;
      request.content = content;
      lease.requests.put(id.number(), request);
    }
    Outcome outcome = acquire != null ? acquire(lease, acquire, request) : release(lease, release);
    if (request != null) {
      request.outcome = outcome;
    }
    return outcome;
  }

  private void acknowledge(NaiveLease lease, long below) {
    lease.acknowledgedBelow = Math.max(below, lease.acknowledgedBelow);
    for (long number : List.copyOf(lease.requests.keySet())) {
      if (number < lease.acknowledgedBelow) {
        NaiveRequest request = lease.requests.remove(number);
        for (NaiveClaim claim : List.copyOf(claims)) {
          if (claim.request == request && claim.token == 0) {
            cancel(claim);
          }
        }
      }
    }
  }

  private Outcome repeat(NaiveRequest known) {
    for (NaiveClaim claim : claims) {
      if (claim.request == known && claim.token == 0) {
        moveReply(claim);
      }
    }
    return known.outcome;
  }

  private Outcome acquireWithOwnLease(Command.AcquireLock acquire) {
    NaiveLease known = leaseWithNonce(acquire.ownLease().nonce());
    if (known == null) {
      NaiveLease lease = make(acquire.ownLease());
      lease.ownedByClaim = true;
      acquire(lease, acquire, null);
      find(claim -> claim.lease == lease).ownsLease = true;
      return null;
    }
    NaiveClaim claim = find(each -> each.lease == known && each.ownsLease);
    if (claim == null
        || known.grant.ttlMs() != acquire.ownLease().ttlMs()
        || !claim.name.equals(acquire.name())
        || !claim.owner.equals(acquire.owner())) {
      return new Outcome.RequestMismatch(0);
    }
    if (claim.token != 0) {
      known.deadlineMs = timeMs + known.grant.ttlMs();
      return new Outcome.LockAcquired(claim.name, claim.token, known.id, false);
    }
    moveReply(claim);
    return null;
  }

  private Outcome acquire(NaiveLease lease, Command.AcquireLock acquire, NaiveRequest request) {
    NaiveClaim claim =
        find(
            each ->
                each.lease == lease
                    && each.name.equals(acquire.name())
                    && each.owner.equals(acquire.owner()));
    if (claim != null && claim.token != 0) {
      return new Outcome.LockAcquired(claim.name, claim.token, lease.id, true);
    }
    if (claim == null) {
      claim = new NaiveClaim();
      claim.name = acquire.name();
      claim.owner = acquire.owner();
      claim.lease = lease;
      claim.place = index;
      claim.replyIndex = index;
      claim.sinceMs = timeMs;
      claims.add(claim);
      freed.add(claim.name);
    } else {
      answer(claim, new Outcome.WaitCancelled(claim.name));
      claim.replyIndex = index;
    }
    claim.metadata = acquire.metadata();
    claim.request = request;
    claim.deadlineMs = acquire.waitMs() > 0 ? timeMs + acquire.waitMs() : Long.MAX_VALUE;
    if (acquire.waitMs() == 0) {
      impatient = claim;
    }
    return null;
  }

  private Outcome release(NaiveLease lease, Command.ReleaseLock release) {
    NaiveClaim holder = holder(release.name());
    if (holder == null
        || holder.lease != lease
        || !holder.owner.equals(release.owner())
        || holder.token != release.token()) {
      return new Outcome.NotLockOwner(release.name(), holder == null ? 0 : holder.token);
    }
    released(holder, Event.Cause.RELEASED);
    if (holder.ownsLease) {
      end(lease, Event.Cause.RELEASED);
    }
    return new Outcome.LockReleased(release.name());
  }

  private void grant(NaiveClaim claim) {
    long waitedMs = timeMs - claim.sinceMs;
    claim.token = index;
    claim.sinceMs = timeMs;
    claim.deadlineMs = Long.MAX_VALUE;
    if (claim.ownsLease) {
      claim.lease.deadlineMs = timeMs + claim.lease.grant.ttlMs();
    }
    result.events.add(
        new Event.LockAcquired(
            claim.name, claim.lease.id, claim.owner, index, claim.metadata, waitedMs));
    answer(claim, new Outcome.LockAcquired(claim.name, index, claim.lease.id, false));
  }

  private void released(NaiveClaim claim, Event.Cause cause) {
    claims.remove(claim);
    freed.add(claim.name);
    result.events.add(
        new Event.LockReleased(
            claim.name,
            claim.lease.id,
            claim.owner,
            claim.token,
            claim.metadata,
            cause,
            timeMs - claim.sinceMs));
  }

  private void cancel(NaiveClaim claim) {
    answer(claim, new Outcome.WaitCancelled(claim.name));
    remove(claim);
  }

  private void remove(NaiveClaim waiter) {
    claims.remove(waiter);
    if (waiter.ownsLease) {
      end(waiter.lease, Event.Cause.RELEASED);
    }
  }

  private Outcome notAcquired(NaiveClaim claim, boolean timedOut) {
    NaiveClaim holder = holder(claim.name);
    return new Outcome.LockNotAcquired(claim.name, timedOut, holder == null ? null : view(holder));
  }

  private void moveReply(NaiveClaim claim) {
    reply(claim.replyIndex, new Outcome.WaitCancelled(claim.name));
    claim.replyIndex = index;
  }

  private void answer(NaiveClaim claim, Outcome outcome) {
    reply(claim.replyIndex, outcome);
    if (claim.request != null) {
      claim.request.outcome = outcome;
    }
  }

  private void reply(long replyIndex, Outcome outcome) {
    result.replies.add(new ApplyResult.Reply(replyIndex, outcome));
  }

  private NaiveLease make(Command.GrantLease grant) {
    NaiveLease lease = new NaiveLease();
    lease.id = index;
    lease.grant = grant;
    leases.add(lease);
    result.events.add(new Event.LeaseGranted(index, grant.ttlMs()));
    return lease;
  }

  private void end(NaiveLease lease, Event.Cause cause) {
    leases.remove(lease);
    for (NaiveClaim claim : claimsOf(lease)) {
      if (claim.token != 0) {
        released(claim, cause);
      } else {
        claims.remove(claim);
        reply(claim.replyIndex, new Outcome.LeaseEnded(lease.id));
      }
    }
    result.events.add(new Event.LeaseEnded(lease.id, cause));
  }

  // What can be seen of the state.

  NaiveLease lease(long leaseId) {
    return leases.stream().filter(lease -> lease.id == leaseId).findFirst().orElse(null);
  }

  private NaiveLease leaseWithNonce(String nonce) {
    return leases.stream()
        .filter(lease -> !nonce.isEmpty() && lease.grant.nonce().equals(nonce))
        .findFirst()
        .orElse(null);
  }

  private NaiveClaim find(Predicate<NaiveClaim> which) {
    return claims.stream().filter(which).findFirst().orElse(null);
  }

  private NaiveClaim holder(String name) {
    return find(claim -> claim.name.equals(name) && claim.token != 0);
  }

  private List<NaiveClaim> waiters(String name) {
    return claims.stream().filter(claim -> claim.name.equals(name) && claim.token == 0).toList();
  }

  private List<NaiveClaim> claimsOf(NaiveLease lease) {
    return claims.stream()
        .filter(claim -> claim.lease == lease)
        .sorted(
            Comparator.comparing((NaiveClaim claim) -> claim.name, BY_BYTES)
                .thenComparing(claim -> claim.owner, BY_BYTES))
        .toList();
  }

  List<LockView> locks() {
    return claims.stream()
        .map(claim -> claim.name)
        .distinct()
        .sorted(BY_BYTES)
        .map(
            name ->
                new LockView(
                    name,
                    view(holder(name)),
                    waiters(name).stream()
                        .map(
                            waiter ->
                                new LockView.Waiter(waiter.lease.id, waiter.owner, waiter.sinceMs))
                        .toList(),
                    waiters(name).size()))
        .toList();
  }

  List<LeaseView> leases() {
    return leases.stream()
        .map(
            lease ->
                new LeaseView(
                    lease.id,
                    lease.grant.owner(),
                    lease.grant.ttlMs(),
                    lease.deadlineMs,
                    claimsOf(lease).stream()
                        .filter(claim -> claim.token != 0)
                        .map(claim -> new LeaseView.HeldLock(claim.name, claim.token))
                        .toList(),
                    claimsOf(lease).stream()
                        .filter(claim -> claim.token == 0)
                        .map(claim -> claim.name)
                        .distinct()
                        .toList(),
                    claimsOf(lease).size()))
        .toList();
  }

  long nextDeadlineMs() {
    long next = Long.MAX_VALUE;
    for (NaiveLease lease : leases) {
      next = Math.min(next, lease.deadlineMs);
    }
    for (NaiveClaim claim : claims) {
      next = Math.min(next, claim.deadlineMs);
    }
    return next;
  }

  private static LockView.Holder view(NaiveClaim holder) {
    return new LockView.Holder(
        holder.lease.id, holder.owner, holder.token, holder.metadata, holder.sinceMs);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The replicated state: leases, locks with their queues, and the time. Deterministic: members that
 * apply the same entries hold the same state and report the same outcomes and events.
 *
 * <p>Not thread-safe. Knows no clock; time is that of the entries.
 *
 * <p>An entry is applied in three steps, so that nothing that ends with it can still gain by it:
 *
 * <ol>
 *   <li>every lease and every wait that is due ends;
 *   <li>the command is executed;
 *   <li>locks that are vacant by then go to the first of their waiters.
 * </ol>
 *
 * <p>Granting last also makes tokens unique: a lock changes hands at most once in an entry, so the
 * index of the entry is a larger token than any that the lock had before.
 */
public final class CoordinatorMachine {

  private final LeaseTable leases = new LeaseTable();
  private final LockTable locks = new LockTable();
  private final DeadlineQueue deadlines = new DeadlineQueue();
  private final MachineView view = new LiveView(this);
  private final Execution execution = new Execution();

  private long appliedIndex;
  private long clusterTimeMs;

  /** Where the entry that is being applied reports to. */
  private ApplyResult result;

  /** Locks that the entry made or freed; granted at its end. */
  private final List<Lock> vacant = new ArrayList<>();

  /** The claim of a command that does not want to wait, or null. */
  private Claim impatient;

  /** Nothing has been applied yet. */
  public CoordinatorMachine() {}

  /**
   * Goes on from a state.
   *
   * @throws IllegalArgumentException if the state contradicts itself
   */
  public CoordinatorMachine(MachineState state) {
    appliedIndex = state.appliedIndex();
    clusterTimeMs = state.clusterTimeMs();
    new Restore(state, leases, locks, deadlines).run();
  }

  /** The state as it is now, for any thread to read. */
  public MachineState freeze() {
    return Freeze.of(this);
  }

  /**
   * Ends everything that is due at {@code clusterTimeMs}, in the order of deadlines, then executes
   * the command. Adds to {@code result}, which the caller has cleared.
   *
   * @param index of the entry, above every earlier one
   * @param clusterTimeMs of the entry; a smaller one than before counts as the latest seen
   */
  public void apply(long index, long clusterTimeMs, Command command, ApplyResult result) {
    InvariantViolation.invariant(
        index > appliedIndex, "entry %d comes after entry %d", index, appliedIndex);
    appliedIndex = index;
    this.clusterTimeMs = Math.max(this.clusterTimeMs, clusterTimeMs);
    this.result = result;

    endWhatIsDue();
    Outcome outcome = command.accept(execution);
    if (outcome != null) {
      reply(index, outcome);
    }
    boolean dismissed = dismissTheImpatient();
    grantVacantLocks();
    if (dismissed) {
      answer(impatient, notAcquired(impatient.lock, false));
    }
    impatient = null;
    this.result = null;
  }

  public MachineView view() {
    return view;
  }

  /**
   * Writes the whole state as text: everything that can influence what later entries do. Machines
   * with equal states give equal texts.
   */
  public void describe(StringBuilder text) {
    new StateText(text).write(this);
  }

  long appliedIndex() {
    return appliedIndex;
  }

  long clusterTimeMs() {
    return clusterTimeMs;
  }

  LeaseTable leases() {
    return leases;
  }

  LockTable locks() {
    return locks;
  }

  DeadlineQueue deadlines() {
    return deadlines;
  }

  private void reply(long index, Outcome outcome) {
    result.replies.add(new ApplyResult.Reply(index, outcome));
  }

  // The steps of an entry.

  private void endWhatIsDue() {
    for (Timed due = deadlines.pollDue(clusterTimeMs);
        due != null;
        due = deadlines.pollDue(clusterTimeMs)) {
      if (due instanceof Lease lease) {
        endLease(lease, Event.Cause.EXPIRED);
      } else {
        Claim claim = (Claim) due;
        answer(claim, notAcquired(claim.lock, true));
        leaveQueue(claim);
      }
    }
  }

  /**
   * Takes the claim of a command that does not want to wait out of the queue, unless it is about to
   * get the lock. Before locks are granted, because a lease that ends with its wait frees others;
   * answered after that, to tell who holds the lock.
   */
  private boolean dismissTheImpatient() {
    if (impatient == null || isNext(impatient)) {
      return false;
    }
    leaveQueue(impatient);
    return true;
  }

  private static boolean isNext(Claim claim) {
    return claim.lock.holder == null && claim.lock.waiters.firstEntry().getValue() == claim;
  }

  private void grantVacantLocks() {
    for (Lock lock : vacant) {
      InvariantViolation.invariant(lock.holder == null, "lock %s is vacant and held", lock.name);
      if (lock.waiters.isEmpty()) {
        locks.remove(lock);
      } else {
        grant(lock.waiters.firstEntry().getValue());
      }
    }
    vacant.clear();
  }

  // Claims.

  private void grant(Claim claim) {
    stopWaiting(claim);
    long waitedMs = clusterTimeMs - claim.sinceMs;
    claim.lock.holder = claim;
    claim.token = appliedIndex;
    claim.sinceMs = clusterTimeMs;
    if (claim.ownsLease()) {
      deadlines.schedule(claim.lease, DeadlineQueue.after(clusterTimeMs, claim.lease.ttlMs));
    }
    result.events.add(
        new Event.LockAcquired(
            claim.lock.name, claim.lease.id, claim.owner(), claim.token, claim.metadata, waitedMs));
    answer(claim, acquired(claim, false));
  }

  /** Ends a claim that holds its lock, but not the lease that was made for it. */
  private void release(Claim claim, Event.Cause cause) {
    claim.lock.holder = null;
    vacant.add(claim.lock);
    claim.lease.claims.remove(claim.key);
    result.events.add(
        new Event.LockReleased(
            claim.lock.name,
            claim.lease.id,
            claim.owner(),
            claim.token,
            claim.metadata,
            cause,
            clusterTimeMs - claim.sinceMs));
  }

  /** Ends a claim that waits, and the lease that was made for it. The caller answers it. */
  private void leaveQueue(Claim claim) {
    stopWaiting(claim);
    claim.lease.claims.remove(claim.key);
    if (claim.ownsLease()) {
      endLease(claim.lease, Event.Cause.RELEASED);
    }
  }

  private void stopWaiting(Claim claim) {
    deadlines.cancel(claim);
    locks.removeWait(claim);
  }

  /** Answers whoever waits with this claim, and remembers the answer for a retry. */
  private void answer(Claim claim, Outcome outcome) {
    reply(claim.replyIndex, outcome);
    if (claim.request != null) {
      claim.request.answered(outcome);
    }
  }

  private void cancel(Claim claim) {
    answer(claim, new Outcome.WaitCancelled(claim.lock.name));
    leaveQueue(claim);
  }

  /** Lets a retry at this entry take over the wait of an earlier attempt, as it is. */
  private void moveReply(Claim claim) {
    reply(claim.replyIndex, new Outcome.WaitCancelled(claim.lock.name));
    locks.moveReply(claim, appliedIndex);
  }

  private static Outcome acquired(Claim claim, boolean alreadyHeld) {
    return new Outcome.LockAcquired(claim.lock.name, claim.token, claim.lease.id, alreadyHeld);
  }

  private static Outcome notAcquired(Lock lock, boolean timedOut) {
    LockView.Holder holder = lock.holder == null ? null : LiveView.holder(lock.holder);
    return new Outcome.LockNotAcquired(lock.name, timedOut, holder);
  }

  // Leases.

  private Lease makeLease(Command.GrantLease grant) {
    Lease lease = new Lease(appliedIndex, grant);
    leases.add(lease);
    result.events.add(new Event.LeaseGranted(lease.id, lease.ttlMs));
    return lease;
  }

  private void renew(Lease lease) {
    deadlines.schedule(lease, DeadlineQueue.after(clusterTimeMs, lease.ttlMs));
  }

  private void endLease(Lease lease, Event.Cause cause) {
    leases.remove(lease);
    deadlines.cancel(lease);
    for (Claim claim : List.copyOf(lease.claims.values())) {
      if (claim.isHolding()) {
        release(claim, cause);
      } else {
        stopWaiting(claim);
        reply(claim.replyIndex, new Outcome.LeaseEnded(lease.id));
      }
    }
    lease.claims.clear();
    result.events.add(new Event.LeaseEnded(lease.id, cause));
  }

  /**
   * Carries out commands. Returns their outcomes, or null for what is answered at a grant or later.
   */
  private final class Execution implements Command.Visitor<Outcome> {

    @Override
    public Outcome grantLease(Command.GrantLease command) {
      Lease known = leases.findByNonce(command.nonce());
      if (known != null && known.madeFor != null) {
        return new Outcome.RequestMismatch(0);
      }
      Lease lease = known != null ? known : makeLease(command);
      // Also for a retry, whose sender may count the TTL from the moment it sent it.
      renew(lease);
      return new Outcome.LeaseGranted(lease.id, lease.ttlMs);
    }

    @Override
    public Outcome revokeLease(Command.RevokeLease command) {
      Lease lease = leases.find(command.leaseId());
      if (lease == null) {
        return new Outcome.LeaseNotFound(command.leaseId());
      }
      endLease(lease, Event.Cause.REVOKED);
      return new Outcome.LeaseRevoked(lease.id);
    }

    @Override
    public Outcome renewLeases(Command.RenewLeases command) {
      List<Outcome.Renewal> renewals = new ArrayList<>(command.leaseIds().size());
      for (long leaseId : command.leaseIds()) {
        renewals.add(renewal(leaseId));
      }
      return new Outcome.LeasesRenewed(renewals);
    }

    private Outcome.Renewal renewal(long leaseId) {
      Lease lease = leases.find(leaseId);
      if (lease == null) {
        return new Outcome.Renewal(leaseId, false, 0, 0);
      }
      if (lease.deadlineMs == LeaseView.NO_DEADLINE) {
        return new Outcome.Renewal(leaseId, true, lease.ttlMs, lease.ttlMs);
      }
      long slackMs = lease.deadlineMs - clusterTimeMs;
      renew(lease);
      return new Outcome.Renewal(leaseId, true, lease.ttlMs, slackMs);
    }

    @Override
    public Outcome acquireLock(Command.AcquireLock command) {
      if (command.ownLease() != null) {
        return acquireWithOwnLease(command);
      }
      Lease lease = leases.find(command.leaseId());
      if (lease == null) {
        return new Outcome.LeaseNotFound(command.leaseId());
      }
      if (command.requestId().isNone()) {
        return acquire(lease, command, null);
      }
      return once(
          lease,
          command.requestId(),
          Fingerprint.of(command),
          request -> acquire(lease, command, request));
    }

    /**
     * Carries out a numbered request, unless it was before: then gives the same answer, or none if
     * that one still waits.
     */
    private Outcome once(
        Lease lease,
        RequestId requestId,
        long fingerprint,
        Function<RequestHistory.Request, Outcome> work) {
      RequestHistory history = lease.history();
      history.acknowledge(requestId, CoordinatorMachine.this::cancel);
      if (leases.find(lease.id) == null) {
        // It was made for one of the waits that this request gave up.
        return new Outcome.LeaseNotFound(lease.id);
      }
      Outcome refusal = history.refusal(lease.id, requestId.number(), fingerprint);
      if (refusal != null) {
        return refusal;
      }
      RequestHistory.Request known = history.find(requestId.number());
      if (known != null) {
        if (known.claim != null) {
          moveReply(known.claim);
        }
        return known.outcome;
      }
      RequestHistory.Request request = history.begin(requestId.number(), fingerprint);
      Outcome outcome = work.apply(request);
      if (outcome != null) {
        request.answered(outcome);
      }
      return outcome;
    }

    private Outcome acquireWithOwnLease(Command.AcquireLock command) {
      Lease known = leases.findByNonce(command.ownLease().nonce());
      if (known == null) {
        Lease lease = makeLease(command.ownLease());
        lease.madeFor = enqueue(lease, command, null);
        return null;
      }
      Claim claim = known.madeFor;
      if (claim == null
          || known.ttlMs != command.ownLease().ttlMs()
          || !claim.lock.name.equals(command.name())
          || !claim.owner().equals(command.owner())) {
        return new Outcome.RequestMismatch(0);
      }
      if (claim.isHolding()) {
        // Its sender may count the TTL from the moment it sent this retry.
        renew(known);
        return acquired(claim, false);
      }
      moveReply(claim);
      return null;
    }

    private Outcome acquire(
        Lease lease, Command.AcquireLock command, RequestHistory.Request request) {
      Claim present = lease.claims.get(new Claim.Key(command.name(), command.owner()));
      if (present == null) {
        enqueue(lease, command, request);
        return null;
      }
      if (present.isHolding()) {
        return acquired(present, true);
      }
      // Another request of the same owner: it takes over the place, with its own patience.
      if (present.request != null) {
        present.request.answered(new Outcome.WaitCancelled(command.name()));
      }
      moveReply(present);
      begin(present, command, request);
      return null;
    }

    /**
     * Makes a claim at the end of the queue, which for a lock that nobody holds is also its head.
     */
    private Claim enqueue(
        Lease lease, Command.AcquireLock command, RequestHistory.Request request) {
      Lock lock = locks.find(command.name());
      if (lock == null) {
        lock = locks.add(command.name());
        vacant.add(lock);
      }
      Claim.Key key = new Claim.Key(lock.name, command.owner());
      Claim claim = new Claim(appliedIndex, lock, lease, key, clusterTimeMs);
      claim.replyIndex = appliedIndex;
      lease.claims.put(key, claim);
      locks.addWait(claim);
      begin(claim, command, request);
      return claim;
    }

    /** Lets a claim wait on behalf of this entry. */
    private void begin(Claim claim, Command.AcquireLock command, RequestHistory.Request request) {
      claim.metadata = command.metadata();
      claim.request = request;
      if (request != null) {
        request.waitsWith(claim);
      }
      deadlines.cancel(claim);
      if (command.waitMs() == 0) {
        impatient = claim;
      } else if (command.waitMs() != Command.AcquireLock.UNLIMITED) {
        deadlines.schedule(claim, DeadlineQueue.after(clusterTimeMs, command.waitMs()));
      }
    }

    @Override
    public Outcome releaseLock(Command.ReleaseLock command) {
      Lease lease = leases.find(command.leaseId());
      if (lease == null) {
        return new Outcome.LeaseNotFound(command.leaseId());
      }
      if (command.requestId().isNone()) {
        return release(lease, command);
      }
      return once(
          lease, command.requestId(), Fingerprint.of(command), request -> release(lease, command));
    }

    private Outcome release(Lease lease, Command.ReleaseLock command) {
      Lock lock = locks.find(command.name());
      Claim holder = lock == null ? null : lock.holder;
      if (holder == null
          || holder.lease != lease
          || !holder.owner().equals(command.owner())
          || holder.token != command.token()) {
        return new Outcome.NotLockOwner(command.name(), holder == null ? 0 : holder.token);
      }
      CoordinatorMachine.this.release(holder, Event.Cause.RELEASED);
      if (holder.ownsLease()) {
        endLease(lease, Event.Cause.RELEASED);
      }
      return new Outcome.LockReleased(lock.name);
    }

    @Override
    public Outcome cancelWait(Command.CancelWait command) {
      Claim claim = locks.findWait(command.acquireIndex());
      if (claim != null && claim.lock.name.equals(command.name())) {
        cancel(claim);
      }
      return Outcome.Done.INSTANCE;
    }

    @Override
    public Outcome pulse(Command.Pulse command) {
      return Outcome.Done.INSTANCE;
    }
  }
}

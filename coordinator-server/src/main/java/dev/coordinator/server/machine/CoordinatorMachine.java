// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

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

  private final Generation generation = new Generation();
  private final LeaseTable leases = new LeaseTable(generation);
  private final LockTable locks = new LockTable(generation);
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
    new Restore(state, generation, leases, locks, deadlines).run();
  }

  /**
   * The state as it is now, for any thread to read. Takes no time: what it consists of is copied
   * when it is about to change, piece by piece.
   */
  public MachineState freeze() {
    FrozenState state = new FrozenState(this);
    generation.freeze();
    return state;
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
    Lock missed = dismissTheImpatient();
    grantVacantLocks();
    if (missed != null) {
      answer(impatient, notAcquired(missed, false));
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
    for (Deadline due = deadlines.pollDue(clusterTimeMs);
        due != null;
        due = deadlines.pollDue(clusterTimeMs)) {
      if (due.isOfLease()) {
        endLease(leases.edit(due.id), Event.Cause.EXPIRED);
      } else {
        Lock lock = locks.edit(due.lockName);
        Claim claim = lock.waiters.get(due.id);
        answer(claim, notAcquired(lock, true));
        leaveQueue(lock, claim);
      }
    }
  }

  /**
   * Takes the claim of a command that does not want to wait out of the queue, unless it is about to
   * get the lock. Before locks are granted, because a lease that ends with its wait frees others;
   * answered after that, to tell who holds the lock.
   *
   * @return the lock that it does not get, or null
   */
  private Lock dismissTheImpatient() {
    if (impatient == null) {
      return null;
    }
    Lock lock = locks.edit(impatient.lockName());
    if (lock.holder == null && lock.waiters.first().id() == impatient.id()) {
      return null;
    }
    leaveQueue(lock, impatient);
    return lock;
  }

  private void grantVacantLocks() {
    for (Lock lock : vacant) {
      InvariantViolation.invariant(lock.holder == null, "lock %s is vacant and held", lock.name);
      if (lock.waiters.isEmpty()) {
        locks.remove(lock);
      } else {
        grant(lock);
      }
    }
    vacant.clear();
  }

  // Claims.

  /** Lets the first waiter have the lock. */
  private void grant(Lock lock) {
    Claim waiter = lock.waiters.first();
    Claim holder = waiter.granted(appliedIndex, clusterTimeMs);
    Lease lease = leases.edit(holder.leaseId());
    stopWaiting(lock, waiter);
    lock.holder = holder;
    lease.claims.put(holder.key(), holder);
    if (lease.wasMadeFor(holder)) {
      renew(lease);
    }
    result.events.add(
        new Event.LockAcquired(
            lock.name,
            lease.id,
            holder.owner(),
            holder.token(),
            holder.metadata(),
            clusterTimeMs - waiter.sinceMs()));
    answer(lease, waiter, acquired(holder, false));
  }

  /** Takes a lock from its holder. The caller takes the claim from the lease, or ends that. */
  private void vacate(Lock lock, Event.Cause cause) {
    Claim claim = lock.holder;
    lock.holder = null;
    vacant.add(lock);
    result.events.add(
        new Event.LockReleased(
            lock.name,
            claim.leaseId(),
            claim.owner(),
            claim.token(),
            claim.metadata(),
            cause,
            clusterTimeMs - claim.sinceMs()));
  }

  /** Ends a claim that waits, and the lease that was made for it. The caller answers it. */
  private void leaveQueue(Lock lock, Claim claim) {
    stopWaiting(lock, claim);
    Lease lease = leases.edit(claim.leaseId());
    lease.claims.remove(claim.key());
    if (lease.wasMadeFor(claim)) {
      endLease(lease, Event.Cause.RELEASED);
    }
  }

  private void stopWaiting(Lock lock, Claim claim) {
    callOff(claim);
    locks.removeWait(lock, claim);
  }

  /** Lets a claim wait without end. */
  private void callOff(Claim claim) {
    if (claim.waiting().deadline() != null) {
      deadlines.cancel(claim.waiting().deadline());
    }
  }

  private void answer(Claim claim, Outcome outcome) {
    answer(leases.edit(claim.leaseId()), claim, outcome);
  }

  /**
   * Answers whoever waits with this claim, and remembers the answer for a retry.
   *
   * @param lease null if it was made for this wait, has ended with it and forgotten its requests
   */
  private void answer(Lease lease, Claim claim, Outcome outcome) {
    reply(claim.waiting().replyIndex(), outcome);
    if (lease != null && claim.waiting().requestNumber() != 0) {
      lease.history().answered(claim.waiting().requestNumber(), outcome);
    }
  }

  private void cancel(Claim claim) {
    answer(claim, new Outcome.WaitCancelled(claim.lockName()));
    leaveQueue(locks.edit(claim.lockName()), claim);
  }

  /** Lets a retry at this entry take over the wait of an earlier attempt, as it is. */
  private void moveReply(Lease lease, Claim claim) {
    replaceWait(lease, claim, claim.waiting().answering(appliedIndex), claim.metadata());
  }

  /** Lets this entry wait in the place of an earlier one. */
  private Claim replaceWait(Lease lease, Claim claim, Claim.Waiting waiting, String metadata) {
    reply(claim.waiting().replyIndex(), new Outcome.WaitCancelled(claim.lockName()));
    Claim changed = claim.replaced(waiting, metadata);
    lease.claims.put(changed.key(), changed);
    locks.replaceWait(locks.edit(claim.lockName()), claim, changed);
    return changed;
  }

  private static Outcome acquired(Claim claim, boolean alreadyHeld) {
    return new Outcome.LockAcquired(claim.lockName(), claim.token(), claim.leaseId(), alreadyHeld);
  }

  private static Outcome notAcquired(Lock lock, boolean timedOut) {
    LockView.Holder holder = lock.holder == null ? null : LiveView.holder(lock.holder);
    return new Outcome.LockNotAcquired(lock.name, timedOut, holder);
  }

  // Leases.

  private Lease makeLease(Command.GrantLease grant) {
    Lease lease = new Lease(appliedIndex, grant, generation);
    leases.add(lease);
    result.events.add(new Event.LeaseGranted(lease.id, lease.ttlMs));
    return lease;
  }

  private void renew(Lease lease) {
    lease.deadlineMs = DeadlineQueue.after(clusterTimeMs, lease.ttlMs);
    deadlines.schedule(lease.deadline, lease.deadlineMs);
  }

  private void endLease(Lease lease, Event.Cause cause) {
    leases.remove(lease);
    deadlines.cancel(lease.deadline);
    for (Claim claim : lease.claims.values()) {
      Lock lock = locks.edit(claim.lockName());
      if (claim.isHolding()) {
        vacate(lock, cause);
      } else {
        stopWaiting(lock, claim);
        reply(claim.waiting().replyIndex(), new Outcome.LeaseEnded(lease.id));
      }
    }
    result.events.add(new Event.LeaseEnded(lease.id, cause));
  }

  /**
   * Carries out commands. Returns their outcomes, or null for what is answered at a grant or later.
   */
  private final class Execution implements Command.Visitor<Outcome> {

    @Override
    public Outcome grantLease(Command.GrantLease command) {
      Lease known = leases.editByNonce(command.nonce());
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
      Lease lease = leases.edit(command.leaseId());
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
      Lease lease = leases.edit(leaseId);
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
      Lease lease = leases.edit(command.leaseId());
      if (lease == null) {
        return new Outcome.LeaseNotFound(command.leaseId());
      }
      Claim.Key key = new Claim.Key(command.name(), command.owner());
      if (command.requestId().isNone()) {
        return acquire(lease, key, command);
      }
      return once(
          lease,
          command.requestId(),
          Fingerprint.of(command),
          key,
          () -> acquire(lease, key, command));
    }

    /**
     * Carries out a numbered request, unless it was before: then gives the same answer, or none if
     * that one still waits.
     *
     * @param key what the request is about; it waits with that claim if the work has no outcome yet
     */
    private Outcome once(
        Lease lease, RequestId requestId, long fingerprint, Claim.Key key, Supplier<Outcome> work) {
      RequestHistory history = lease.history(generation);
      history.acknowledge(requestId, abandoned -> cancel(lease.claims.get(abandoned)));
      if (leases.find(lease.id) == null) {
        // It was made for one of the waits that this request gave up.
        return new Outcome.LeaseNotFound(lease.id);
      }
      Outcome refusal = history.refusal(lease.id, requestId.number(), fingerprint, key);
      if (refusal != null) {
        return refusal;
      }
      RequestHistory.Request known = history.find(requestId.number());
      if (known != null) {
        if (known.isWaiting()) {
          moveReply(lease, lease.claims.get(known.key()));
        }
        return known.outcome();
      }
      Outcome outcome = work.get();
      history.remember(requestId.number(), fingerprint, key, outcome);
      return outcome;
    }

    private Outcome acquireWithOwnLease(Command.AcquireLock command) {
      Lease known = leases.editByNonce(command.ownLease().nonce());
      Claim.Key key = new Claim.Key(command.name(), command.owner());
      if (known == null) {
        Lease lease = makeLease(command.ownLease());
        lease.madeFor = key;
        enqueue(lease, key, command);
        return null;
      }
      if (known.ttlMs != command.ownLease().ttlMs() || !key.equals(known.madeFor)) {
        return new Outcome.RequestMismatch(0);
      }
      Claim claim = known.claims.get(key);
      if (claim.isHolding()) {
        // Its sender may count the TTL from the moment it sent this retry.
        renew(known);
        return acquired(claim, false);
      }
      moveReply(known, claim);
      return null;
    }

    private Outcome acquire(Lease lease, Claim.Key key, Command.AcquireLock command) {
      Claim present = lease.claims.get(key);
      if (present == null) {
        enqueue(lease, key, command);
        return null;
      }
      if (present.isHolding()) {
        return acquired(present, true);
      }
      takeOver(lease, present, command);
      return null;
    }

    /**
     * Makes a claim at the end of the queue, which for a lock that nobody holds is also its head.
     */
    private void enqueue(Lease lease, Claim.Key key, Command.AcquireLock command) {
      Lock lock = locks.edit(key.lockName());
      if (lock == null) {
        lock = locks.add(key.lockName());
        vacant.add(lock);
      }
      Claim.Waiting waiting = newWaiting(appliedIndex, command);
      Claim claim =
          new Claim(appliedIndex, lease.id, key, command.metadata(), clusterTimeMs, 0, waiting);
      lease.claims.put(key, claim);
      locks.addWait(lock, claim);
      if (command.waitMs() == 0) {
        impatient = claim;
      }
    }

    /**
     * Lets another request of the same owner have the place in the queue, with its own patience.
     */
    private void takeOver(Lease lease, Claim present, Command.AcquireLock command) {
      if (present.waiting().requestNumber() != 0) {
        lease
            .history()
            .answered(
                present.waiting().requestNumber(), new Outcome.WaitCancelled(present.lockName()));
      }
      callOff(present);
      Claim changed =
          replaceWait(lease, present, newWaiting(present.id(), command), command.metadata());
      if (command.waitMs() == 0) {
        impatient = changed;
      }
    }

    /** A wait on behalf of this entry. */
    private Claim.Waiting newWaiting(long claimId, Command.AcquireLock command) {
      Deadline deadline = null;
      long deadlineMs = DeadlineQueue.NEVER;
      if (command.waitMs() > 0) {
        deadline = Deadline.ofWait(command.name(), claimId);
        deadlineMs = DeadlineQueue.after(clusterTimeMs, command.waitMs());
        deadlines.schedule(deadline, deadlineMs);
      }
      return new Claim.Waiting(appliedIndex, command.requestId().number(), deadlineMs, deadline);
    }

    @Override
    public Outcome releaseLock(Command.ReleaseLock command) {
      Lease lease = leases.edit(command.leaseId());
      if (lease == null) {
        return new Outcome.LeaseNotFound(command.leaseId());
      }
      Claim.Key key = new Claim.Key(command.name(), command.owner());
      if (command.requestId().isNone()) {
        return release(lease, key, command);
      }
      return once(
          lease,
          command.requestId(),
          Fingerprint.of(command),
          key,
          () -> release(lease, key, command));
    }

    private Outcome release(Lease lease, Claim.Key key, Command.ReleaseLock command) {
      Lock lock = locks.edit(command.name());
      Claim holder = lock == null ? null : lock.holder;
      if (holder == null
          || holder.leaseId() != lease.id
          || !holder.key().equals(key)
          || holder.token() != command.token()) {
        return new Outcome.NotLockOwner(command.name(), holder == null ? 0 : holder.token());
      }
      vacate(lock, Event.Cause.RELEASED);
      lease.claims.remove(key);
      if (lease.wasMadeFor(holder)) {
        endLease(lease, Event.Cause.RELEASED);
      }
      return new Outcome.LockReleased(lock.name);
    }

    @Override
    public Outcome cancelWait(Command.CancelWait command) {
      Claim claim = locks.findWait(command.acquireIndex());
      if (claim != null && claim.lockName().equals(command.name())) {
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

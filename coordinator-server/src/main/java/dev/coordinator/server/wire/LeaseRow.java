// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.wire;

import dev.coordinator.internal.v1.StoredLease;
import dev.coordinator.internal.v1.StoredOutcome;
import dev.coordinator.internal.v1.StoredRequest;
import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.LeaseState;
import dev.coordinator.server.machine.LeaseView;
import dev.coordinator.server.machine.LockView;
import dev.coordinator.server.machine.Outcome;
import java.util.ArrayList;
import java.util.List;

/** Leases, with what is remembered of their requests, to rows of a snapshot and back. */
final class LeaseRow {

  private LeaseRow() {}

  static StoredLease encode(LeaseState lease) {
    StoredLease.Builder row =
        StoredLease.newBuilder()
            .setOwner(lease.owner())
            .setNonce(lease.nonce())
            .setTtlMs(lease.ttlMs())
            .setMadeForClaimId(lease.madeForClaimId())
            .setAcknowledgedBelow(lease.acknowledgedBelow());
    if (lease.deadlineMs() != LeaseView.NO_DEADLINE) {
      row.setDeadlineMs(lease.deadlineMs());
    }
    for (LeaseState.RequestState request : lease.requests()) {
      StoredRequest.Builder stored =
          StoredRequest.newBuilder()
              .setNumber(request.number())
              .setFingerprint(request.fingerprint())
              .setLockName(request.lockName())
              .setOwner(request.owner());
      if (request.outcome() != null) {
        stored.setOutcome(encode(request.outcome()));
      }
      row.addRequests(stored);
    }
    return row.build();
  }

  static LeaseState decode(long id, StoredLease row) {
    Fields.requireKnownFields(row, "lease");
    long ttlMs = Fields.atLeast(1, "ttl_ms", row.getTtlMs());
    if (ttlMs > Command.MAX_DURATION_MS) {
      throw Fields.broken("ttl_ms", "is 1 ms to a century", ttlMs);
    }
    long acknowledgedBelow = Fields.atLeast(0, "acknowledged_below", row.getAcknowledgedBelow());
    return new LeaseState(
        id,
        row.getOwner(),
        row.getNonce(),
        ttlMs,
        row.hasDeadlineMs()
            ? Fields.atLeast(0, "deadline_ms", row.getDeadlineMs())
            : LeaseView.NO_DEADLINE,
        Fields.atLeast(0, "made_for_claim_id", row.getMadeForClaimId()),
        acknowledgedBelow,
        requests(row.getRequestsList(), acknowledgedBelow));
  }

  private static List<LeaseState.RequestState> requests(
      List<StoredRequest> rows, long acknowledgedBelow) {
    List<LeaseState.RequestState> requests = new ArrayList<>(rows.size());
    long least = Math.max(1, acknowledgedBelow);
    for (StoredRequest row : rows) {
      Fields.requireKnownFields(row, "requests");
      long number = Fields.atLeast(least, "requests.number", row.getNumber());
      least = number + 1;
      String lock = row.getLockName();
      Fields.require(!lock.isEmpty(), "requests.lock_name", "is not empty", "\"\"");
      requests.add(
          new LeaseState.RequestState(
              number,
              row.getFingerprint(),
              lock,
              row.getOwner(),
              row.hasOutcome() ? outcome(lock, row.getOutcome()) : null));
    }
    return requests;
  }

  private static StoredOutcome encode(Outcome outcome) {
    StoredOutcome.Builder stored = StoredOutcome.newBuilder();
    if (outcome instanceof Outcome.LockAcquired acquired) {
      stored.setLockAcquired(
          StoredOutcome.LockAcquired.newBuilder()
              .setToken(acquired.token())
              .setLeaseId(acquired.leaseId())
              .setAlreadyHeld(acquired.alreadyHeld()));
    } else if (outcome instanceof Outcome.LockNotAcquired refused) {
      StoredOutcome.LockNotAcquired.Builder message =
          StoredOutcome.LockNotAcquired.newBuilder().setTimedOut(refused.timedOut());
      if (refused.holder() != null) {
        message.setHolder(encode(refused.holder()));
      }
      stored.setLockNotAcquired(message);
    } else if (outcome instanceof Outcome.LockReleased) {
      stored.setLockReleased(StoredOutcome.LockReleased.getDefaultInstance());
    } else if (outcome instanceof Outcome.NotLockOwner other) {
      stored.setNotLockOwner(
          StoredOutcome.NotLockOwner.newBuilder().setPresentToken(other.presentToken()));
    } else if (outcome instanceof Outcome.WaitCancelled) {
      stored.setWaitCancelled(StoredOutcome.WaitCancelled.getDefaultInstance());
    } else {
      throw new IllegalArgumentException("no numbered request ends with " + outcome);
    }
    return stored.build();
  }

  private static StoredOutcome.Holder encode(LockView.Holder holder) {
    return StoredOutcome.Holder.newBuilder()
        .setLeaseId(holder.leaseId())
        .setOwner(holder.owner())
        .setToken(holder.token())
        .setMetadata(holder.metadata())
        .setSinceMs(holder.sinceMs())
        .build();
  }

  private static Outcome outcome(String lock, StoredOutcome stored) {
    Fields.requireKnownFields(stored, "outcome");
    return switch (stored.getOutcomeCase()) {
      case LOCK_ACQUIRED -> lockAcquired(lock, stored.getLockAcquired());
      case LOCK_NOT_ACQUIRED -> lockNotAcquired(lock, stored.getLockNotAcquired());
      case LOCK_RELEASED -> {
        Fields.requireKnownFields(stored.getLockReleased(), "lock_released");
        yield new Outcome.LockReleased(lock);
      }
      case NOT_LOCK_OWNER -> notLockOwner(lock, stored.getNotLockOwner());
      case WAIT_CANCELLED -> {
        Fields.requireKnownFields(stored.getWaitCancelled(), "wait_cancelled");
        yield new Outcome.WaitCancelled(lock);
      }
      case OUTCOME_NOT_SET ->
          throw new IllegalArgumentException("outcome is one of the known kinds, not empty");
    };
  }

  private static Outcome lockAcquired(String lock, StoredOutcome.LockAcquired message) {
    Fields.requireKnownFields(message, "lock_acquired");
    return new Outcome.LockAcquired(
        lock,
        Fields.atLeast(1, "lock_acquired.token", message.getToken()),
        Fields.atLeast(1, "lock_acquired.lease_id", message.getLeaseId()),
        message.getAlreadyHeld());
  }

  private static Outcome lockNotAcquired(String lock, StoredOutcome.LockNotAcquired message) {
    Fields.requireKnownFields(message, "lock_not_acquired");
    return new Outcome.LockNotAcquired(
        lock, message.getTimedOut(), message.hasHolder() ? holder(message.getHolder()) : null);
  }

  private static LockView.Holder holder(StoredOutcome.Holder message) {
    Fields.requireKnownFields(message, "holder");
    return new LockView.Holder(
        Fields.atLeast(1, "holder.lease_id", message.getLeaseId()),
        message.getOwner(),
        Fields.atLeast(1, "holder.token", message.getToken()),
        message.getMetadata(),
        Fields.atLeast(0, "holder.since_ms", message.getSinceMs()));
  }

  private static Outcome notLockOwner(String lock, StoredOutcome.NotLockOwner message) {
    Fields.requireKnownFields(message, "not_lock_owner");
    return new Outcome.NotLockOwner(
        lock, Fields.atLeast(0, "not_lock_owner.present_token", message.getPresentToken()));
  }
}

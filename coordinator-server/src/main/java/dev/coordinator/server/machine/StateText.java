// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

/** Writes the state of a machine as text, one line for each lease, request, lock and claim. */
final class StateText {

  private final StringBuilder text;

  StateText(StringBuilder text) {
    this.text = text;
  }

  void write(CoordinatorMachine machine) {
    text.append("applied ").append(machine.appliedIndex());
    text.append(" at ").append(machine.clusterTimeMs()).append("ms\n");
    for (Lease lease : machine.leases().all().values()) {
      write(lease);
    }
    for (Lock lock : machine.locks().all().values()) {
      write(lock);
    }
  }

  private void write(Lease lease) {
    text.append("lease ").append(lease.id);
    text.append(" ttl ").append(lease.ttlMs).append("ms");
    deadline(lease.deadlineMs);
    quoted(" owner ", lease.owner);
    quoted(" nonce ", lease.nonce);
    if (lease.madeFor != null) {
      quoted(" made for ", lease.madeFor.lockName());
      quoted(" owner ", lease.madeFor.owner());
    }
    text.append('\n');
    if (lease.history() != null) {
      write(lease, lease.history());
    }
  }

  private void write(Lease lease, RequestHistory history) {
    text.append("  acknowledged below ").append(history.acknowledgedBelow()).append('\n');
    for (RequestHistory.Request request : history.requests().values()) {
      text.append("  request ").append(request.number());
      text.append(" fingerprint ").append(Long.toHexString(request.fingerprint()));
      quoted(" for ", request.key().lockName());
      quoted(" owner ", request.key().owner());
      if (request.isWaiting()) {
        text.append(" waits as ").append(lease.claims.get(request.key()).id());
      } else {
        text.append(" -> ").append(request.outcome());
      }
      text.append('\n');
    }
  }

  private void write(Lock lock) {
    quoted("lock ", lock.name);
    text.append('\n');
    write("  held by ", lock.holder);
    for (Claim claim : lock.waiters.values()) {
      write("  awaited by ", claim);
    }
  }

  private void write(String what, Claim claim) {
    text.append(what).append(claim.leaseId());
    quoted(" owner ", claim.owner());
    text.append(" as ").append(claim.id());
    text.append(" since ").append(claim.sinceMs()).append("ms");
    if (claim.isHolding()) {
      text.append(" token ").append(claim.token());
    } else {
      text.append(" answers ").append(claim.waiting().replyIndex());
      deadline(claim.waiting().deadlineMs());
      if (claim.waiting().requestNumber() != 0) {
        text.append(" request ").append(claim.waiting().requestNumber());
      }
    }
    quoted(" metadata ", claim.metadata());
    text.append('\n');
  }

  private void deadline(long deadlineMs) {
    if (deadlineMs == DeadlineQueue.NEVER) {
      text.append(" no deadline");
    } else {
      text.append(" until ").append(deadlineMs).append("ms");
    }
  }

  private void quoted(String what, String value) {
    text.append(what).append('"').append(value).append('"');
  }
}

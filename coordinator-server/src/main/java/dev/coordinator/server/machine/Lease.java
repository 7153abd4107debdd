// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

/** A living lease with everything that ends with it. */
final class Lease {

  /** Of which {@link Generation} it is. */
  final long generation;

  final long id;
  final String owner;
  final String nonce;
  final long ttlMs;

  /** Its place in the queue of deadlines, which no frozen state looks at. */
  final Deadline deadline;

  /** {@link DeadlineQueue#NEVER} while it waits for the lock that it was made for. */
  long deadlineMs = DeadlineQueue.NEVER;

  /** What it holds and waits for. */
  final OrderedMap<Claim.Key, Claim> claims;

  /** Its numbered requests; null before the first one, as for most leases of people. */
  private RequestHistory history;

  /**
   * The claim that it was made for on the spot and ends with; null for a lease granted by itself.
   */
  Claim.Key madeFor;

  Lease(long id, Command.GrantLease grant, Generation generation) {
    this.generation = generation.number();
    this.id = id;
    owner = grant.owner();
    nonce = grant.nonce();
    ttlMs = grant.ttlMs();
    deadline = Deadline.ofLease(id);
    claims = new OrderedMap<>(Claim.Key.ORDER, generation);
  }

  private Lease(Lease other, Generation generation) {
    this.generation = generation.number();
    id = other.id;
    owner = other.owner;
    nonce = other.nonce;
    ttlMs = other.ttlMs;
    deadline = other.deadline;
    deadlineMs = other.deadlineMs;
    claims = other.claims.share();
    history = other.history == null ? null : other.history.share();
    madeFor = other.madeFor;
  }

  Lease copy(Generation present) {
    return new Lease(this, present);
  }

  RequestHistory history(Generation present) {
    if (history == null) {
      history = new RequestHistory(present);
    }
    return history;
  }

  /** Null before the first numbered request. */
  RequestHistory history() {
    return history;
  }

  boolean wasMadeFor(Claim claim) {
    return claim.key().equals(madeFor);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.TreeMap;

/** A living lease with everything that ends with it. */
final class Lease extends Timed {

  final String owner;
  final String nonce;
  final long ttlMs;

  /** What it holds and waits for. */
  final TreeMap<Claim.Key, Claim> claims = new TreeMap<>();

  /** Its numbered requests; null before the first one, as for most leases of people. */
  private RequestHistory history;

  /**
   * The claim that it was made for on the spot and ends with; null for a lease granted by itself.
   */
  Claim madeFor;

  Lease(long id, Command.GrantLease grant) {
    super(id);
    owner = grant.owner();
    nonce = grant.nonce();
    ttlMs = grant.ttlMs();
  }

  RequestHistory history() {
    if (history == null) {
      history = new RequestHistory();
    }
    return history;
  }

  boolean hasHistory() {
    return history != null;
  }
}

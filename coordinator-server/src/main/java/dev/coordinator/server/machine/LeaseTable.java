// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.Collection;
import java.util.TreeMap;

/** The living leases, by id and by nonce. */
final class LeaseTable {

  private final TreeMap<Long, Lease> byId = new TreeMap<>();
  private final TreeMap<String, Lease> byNonce = new TreeMap<>();

  /** Null if there is none. */
  Lease find(long leaseId) {
    return byId.get(leaseId);
  }

  /** Null if there is none; an empty nonce names none. */
  Lease findByNonce(String nonce) {
    return nonce.isEmpty() ? null : byNonce.get(nonce);
  }

  void add(Lease lease) {
    byId.put(lease.id, lease);
    if (!lease.nonce.isEmpty()) {
      byNonce.put(lease.nonce, lease);
    }
  }

  void remove(Lease lease) {
    byId.remove(lease.id);
    if (!lease.nonce.isEmpty()) {
      byNonce.remove(lease.nonce);
    }
  }

  int size() {
    return byId.size();
  }

  /** Those with larger ids, in order. */
  Collection<Lease> after(long leaseId) {
    return byId.tailMap(leaseId, false).values();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.TreeMap;

/** The living leases, by id and by nonce. */
final class LeaseTable {

  private final Generation generation;
  private final OrderedMap<Long, Lease> byId;
  private final TreeMap<String, Long> byNonce = new TreeMap<>();

  LeaseTable(Generation generation) {
    this.generation = generation;
    byId = new OrderedMap<>(OrderedMap.Order.BY_NUMBER, generation);
  }

  /** To be read; null if there is none. */
  Lease find(long leaseId) {
    return byId.get(leaseId);
  }

  /** To be changed while an entry is applied; null if there is none. */
  Lease edit(long leaseId) {
    Lease lease = byId.get(leaseId);
    if (lease == null || lease.generation == generation.number()) {
      return lease;
    }
    Lease copy = lease.copy(generation);
    byId.put(leaseId, copy);
    return copy;
  }

  /** Whether there is a lease with this nonce; an empty one names none. */
  boolean knowsNonce(String nonce) {
    return byNonce.containsKey(nonce);
  }

  /** To be changed while an entry is applied; null if there is none. */
  Lease editByNonce(String nonce) {
    Long leaseId = byNonce.get(nonce);
    return leaseId == null ? null : edit(leaseId);
  }

  void add(Lease lease) {
    byId.put(lease.id, lease);
    if (!lease.nonce.isEmpty()) {
      byNonce.put(lease.nonce, lease.id);
    }
  }

  void remove(Lease lease) {
    byId.remove(lease.id);
    if (!lease.nonce.isEmpty()) {
      byNonce.remove(lease.nonce);
    }
  }

  /** By rising id. */
  OrderedMap<Long, Lease> all() {
    return byId;
  }
}

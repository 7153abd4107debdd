// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.List;
import java.util.Optional;

/**
 * Reads the state without changing it. Valid only on the thread that applies, while it applies
 * nothing.
 */
public interface MachineView {

  /** The index of the last applied entry. */
  long appliedIndex();

  /** The cluster time of the last applied entry. */
  long clusterTimeMs();

  Optional<LeaseView> lease(long leaseId);

  /** Whether a living lease was made with this nonce, which is not empty. */
  boolean knowsNonce(String nonce);

  /** The TTL of a lease; 0 if there is no such lease. */
  long leaseTtlMs(long leaseId);

  /** As {@link LeaseView#deadlineMs}; 0 if there is no such lease. */
  long leaseDeadlineMs(long leaseId);

  /** Up to {@code limit} leases with ids above {@code afterLeaseId}, in order. */
  List<LeaseView> leases(long afterLeaseId, int limit);

  Optional<LockView> lock(String name);

  /**
   * Up to {@code limit} locks under {@code prefix} with names above {@code afterName}, in order.
   */
  List<LockView> locks(String prefix, String afterName, int limit);

  int leaseCount();

  int lockCount();

  /** Waiters over all locks. */
  int waiterCount();

  /** Waiters of one lock; 0 if there is no such lock. */
  int waiterCount(String name);

  /** Locks that the owners within a lease hold or wait for; 0 if there is no such lease. */
  int lockCount(long leaseId);

  /** Whether an owner within the lease holds the lock or waits for it. */
  boolean isConcerned(long leaseId, String name);

  /**
   * The cluster time at which something ends unless an entry prevents it; Long.MAX_VALUE if never.
   */
  long nextDeadlineMs();
}

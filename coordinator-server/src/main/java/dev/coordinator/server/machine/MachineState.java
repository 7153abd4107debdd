// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.Iterator;

/**
 * The whole replicated state as of one entry: what a machine freezes to, and what one can begin
 * with. It does not change, and any thread may read it.
 */
public interface MachineState {

  /** The last entry that is in it. */
  long appliedIndex();

  long clusterTimeMs();

  int leaseCount();

  int lockCount();

  /** By rising id. */
  Iterator<LeaseState> leases();

  /** By the bytes of their names. */
  Iterator<LockState> locks();
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.machine;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;

/** A {@link MachineState} that is given as lists. */
public final class ListedState implements MachineState {

  private final long appliedIndex;
  private final long clusterTimeMs;
  private final List<LeaseState> leases;
  private final List<LockState> locks;

  /**
   * @param leases by rising id
   * @param locks by the bytes of their names
   */
  public ListedState(
      long appliedIndex, long clusterTimeMs, List<LeaseState> leases, List<LockState> locks) {
    this.appliedIndex = appliedIndex;
    this.clusterTimeMs = clusterTimeMs;
    this.leases = Collections.unmodifiableList(new ArrayList<>(leases));
    this.locks = Collections.unmodifiableList(new ArrayList<>(locks));
  }

  @Override
  public long appliedIndex() {
    return appliedIndex;
  }

  @Override
  public long clusterTimeMs() {
    return clusterTimeMs;
  }

  @Override
  public int leaseCount() {
    return leases.size();
  }

  @Override
  public int lockCount() {
    return locks.size();
  }

  @Override
  public Iterator<LeaseState> leases() {
    return leases.iterator();
  }

  @Override
  public Iterator<LockState> locks() {
    return locks.iterator();
  }
}

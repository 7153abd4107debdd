// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.Command;
import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.machine.Outcome;
import dev.coordinator.server.ports.LeaderDirectory;
import dev.coordinator.server.raft.NodeId;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** The thread-safe face of one member: commands, reads, keep-alives, watches and its state. */
public final class CoordinatorNode implements LeaderDirectory {

  /** Encodes a command on the calling thread and queues it. Never blocks, never throws. */
  public PendingCall submit(Command command) {
    throw new UnsupportedOperationException();
  }

  /** Takes a waiting AcquireLock back, if it still waits. Its future then ends as cancelled. */
  public void cancelWait(String lockName, PendingCall call) {
    throw new UnsupportedOperationException();
  }

  /** Renews leases together with those of other callers. Only a leader does. */
  public CompletableFuture<Answered<List<Outcome.Renewal>>> keepAlive(List<Long> leaseIds) {
    throw new UnsupportedOperationException();
  }

  /**
   * Answers a linearizable read: the function runs on the loop once a quorum confirmed this leader.
   */
  public <T> CompletableFuture<Answered<T>> read(Function<MachineView, T> query) {
    throw new UnsupportedOperationException();
  }

  /** The state of this member a moment ago. */
  public NodeStatus status() {
    throw new UnsupportedOperationException();
  }

  public WatchHub watches() {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean isLeader() {
    throw new UnsupportedOperationException();
  }

  @Override
  public NodeId leader() {
    throw new UnsupportedOperationException();
  }
}

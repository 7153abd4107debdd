// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.api;

import com.google.protobuf.Duration;
import dev.coordinator.server.machine.LeaseView;
import dev.coordinator.server.machine.LockView;
import dev.coordinator.v1.Lease;
import dev.coordinator.v1.LeasedLock;
import dev.coordinator.v1.Lock;
import dev.coordinator.v1.LockHolder;
import dev.coordinator.v1.LockWaiter;

/**
 * Shows leases and locks as clients see them, with times as spans before or after a cluster time.
 */
final class Views {

  private Views() {}

  static Duration duration(long ms) {
    return Duration.newBuilder()
        .setSeconds(ms / 1_000)
        .setNanos((int) (ms % 1_000) * 1_000_000)
        .build();
  }

  static Lease lease(LeaseView lease, long clusterTimeMs) {
    // A lease that waits for its lock has all of its TTL before it.
    long remainingMs =
        lease.deadlineMs() == LeaseView.NO_DEADLINE
            ? lease.ttlMs()
            : Math.max(0, lease.deadlineMs() - clusterTimeMs);
    var message =
        Lease.newBuilder()
            .setLeaseId(lease.leaseId())
            .setOwner(lease.owner())
            .setTtl(duration(lease.ttlMs()))
            .setRemaining(duration(remainingMs))
            .addAllWaitingFor(lease.waitingFor())
            .setLockCount(lease.lockCount());
    for (LeaseView.HeldLock held : lease.held()) {
      message.addHeld(LeasedLock.newBuilder().setName(held.name()).setToken(held.token()));
    }
    return message.build();
  }

  static Lock lock(LockView lock, long clusterTimeMs) {
    var message =
        Lock.newBuilder()
            .setName(lock.name())
            .setHolder(holder(lock.holder(), clusterTimeMs))
            .setWaiterCount(lock.waiterCount());
    for (LockView.Waiter waiter : lock.waiters()) {
      message.addWaiters(
          LockWaiter.newBuilder()
              .setLeaseId(waiter.leaseId())
              .setOwner(waiter.owner())
              .setAge(age(waiter.sinceMs(), clusterTimeMs)));
    }
    return message.build();
  }

  static LockHolder holder(LockView.Holder holder, long clusterTimeMs) {
    return LockHolder.newBuilder()
        .setLeaseId(holder.leaseId())
        .setOwner(holder.owner())
        .setToken(holder.token())
        .setMetadata(holder.metadata())
        .setAge(age(holder.sinceMs(), clusterTimeMs))
        .build();
  }

  private static Duration age(long sinceMs, long clusterTimeMs) {
    return duration(Math.max(0, clusterTimeMs - sinceMs));
  }
}

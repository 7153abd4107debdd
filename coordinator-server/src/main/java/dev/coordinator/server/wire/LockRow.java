// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.wire;

import dev.coordinator.internal.v1.StoredClaim;
import dev.coordinator.internal.v1.StoredLock;
import dev.coordinator.server.machine.LeaseView;
import dev.coordinator.server.machine.LockState;
import dev.coordinator.server.raft.SnapshotMeta;
import java.util.ArrayList;
import java.util.List;

/** Locks, with their holders and queues, to rows of a snapshot and back. */
final class LockRow {

  private LockRow() {}

  static StoredLock encode(LockState lock) {
    StoredLock.Builder row = StoredLock.newBuilder().setHolder(encode(lock.holder()));
    for (LockState.ClaimState waiter : lock.waiters()) {
      row.addWaiters(encode(waiter));
    }
    return row.build();
  }

  private static StoredClaim encode(LockState.ClaimState claim) {
    StoredClaim.Builder message =
        StoredClaim.newBuilder()
            .setId(claim.id())
            .setLeaseId(claim.leaseId())
            .setOwner(claim.owner())
            .setMetadata(claim.metadata())
            .setSinceMs(claim.sinceMs())
            .setToken(claim.token())
            .setReplyIndex(claim.replyIndex())
            .setRequestNumber(claim.requestNumber());
    if (claim.deadlineMs() != LeaseView.NO_DEADLINE) {
      message.setDeadlineMs(claim.deadlineMs());
    }
    return message.build();
  }

  /**
   * @param meta of the snapshot, which bounds indexes and times
   */
  static LockState decode(String name, StoredLock row, SnapshotMeta meta) {
    Fields.requireKnownFields(row, "lock");
    Fields.require(row.hasHolder(), "holder", "is present", "absent");
    List<LockState.ClaimState> waiters = new ArrayList<>(row.getWaitersCount());
    long leastId = 1;
    for (StoredClaim waiter : row.getWaitersList()) {
      waiters.add(waiter(waiter, leastId, meta));
      leastId = waiter.getId() + 1;
    }
    return new LockState(name, holder(row.getHolder(), meta), waiters);
  }

  private static LockState.ClaimState holder(StoredClaim message, SnapshotMeta meta) {
    Fields.requireKnownFields(message, "holder");
    Fields.require(!message.hasDeadlineMs(), "holder.deadline_ms", "is absent", "present");
    return new LockState.ClaimState(
        between(1, meta.index(), "holder.id", message.getId()),
        between(1, meta.index(), "holder.lease_id", message.getLeaseId()),
        message.getOwner(),
        message.getMetadata(),
        between(0, meta.clusterTimeMs(), "holder.since_ms", message.getSinceMs()),
        between(1, meta.index(), "holder.token", message.getToken()),
        LeaseView.NO_DEADLINE,
        between(0, 0, "holder.reply_index", message.getReplyIndex()),
        between(0, 0, "holder.request_number", message.getRequestNumber()));
  }

  private static LockState.ClaimState waiter(StoredClaim message, long leastId, SnapshotMeta meta) {
    Fields.requireKnownFields(message, "waiters");
    return new LockState.ClaimState(
        between(leastId, meta.index(), "waiters.id", message.getId()),
        between(1, meta.index(), "waiters.lease_id", message.getLeaseId()),
        message.getOwner(),
        message.getMetadata(),
        between(0, meta.clusterTimeMs(), "waiters.since_ms", message.getSinceMs()),
        between(0, 0, "waiters.token", message.getToken()),
        message.hasDeadlineMs()
            ? Fields.atLeast(
                meta.clusterTimeMs() + 1, "waiters.deadline_ms", message.getDeadlineMs())
            : LeaseView.NO_DEADLINE,
        between(1, meta.index(), "waiters.reply_index", message.getReplyIndex()),
        Fields.atLeast(0, "waiters.request_number", message.getRequestNumber()));
  }

  private static long between(long least, long most, String field, long value) {
    if (value < least || value > most) {
      throw Fields.broken(
          field, least == most ? "is " + most : "is " + least + " to " + most, value);
    }
    return value;
  }
}

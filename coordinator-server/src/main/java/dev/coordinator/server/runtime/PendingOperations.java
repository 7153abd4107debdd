// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.runtime;

import dev.coordinator.server.machine.MachineView;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftStatus;
import dev.coordinator.server.raft.RoleKind;
import java.util.ArrayList;
import java.util.List;

/** Changes of the members and transfers of leadership that have begun and that somebody awaits. */
final class PendingOperations {

  /**
   * @param index the entry with which it began
   * @param term in which it began: in a later one, another entry may stand there
   */
  private record Change(LoopInput.ChangeMembership call, long index, long term) {}

  private record Transfer(LoopInput.TransferLeadership call, long deadlineMs) {}

  private final NodeId self;
  private final Replies replies;
  private final List<Change> changes = new ArrayList<>();
  private final List<Transfer> transfers = new ArrayList<>();

  PendingOperations(NodeId self, Replies replies) {
    this.self = self;
    this.replies = replies;
  }

  void begun(LoopInput.ChangeMembership call, long index, long term) {
    changes.add(new Change(call, index, term));
  }

  /**
   * @param deadlineMs when to stop waiting for another leader
   */
  void begun(LoopInput.TransferLeadership call, long deadlineMs) {
    transfers.add(new Transfer(call, deadlineMs));
  }

  boolean isEmpty() {
    return changes.isEmpty() && transfers.isEmpty();
  }

  /** Answers what has ended. */
  void advance(RaftStatus status, Leadership leadership, MachineView view, long nowMs) {
    changes.removeIf(change -> isEnded(change, status, leadership, view));
    transfers.removeIf(transfer -> isEnded(transfer, status, leadership, view, nowMs));
  }

  private boolean isEnded(
      Change change, RaftStatus status, Leadership leadership, MachineView view) {
    if (status.term() != change.term()
        || status.committed() < change.index()
        || !status.isMembershipSettled()) {
      return false;
    }
    var answer = leadership.answer(status.membership(), view);
    replies.add(() -> change.call().future.complete(answer));
    return true;
  }

  private boolean isEnded(
      Transfer transfer, RaftStatus status, Leadership leadership, MachineView view, long nowMs) {
    LoopInput.TransferLeadership call = transfer.call();
    if (!status.leader().isNone() && !status.leader().equals(self)) {
      var answer = leadership.answer(status.leader(), view);
      replies.add(() -> call.future.complete(answer));
      return true;
    }
    boolean givenUp = status.role() == RoleKind.LEADER && status.transferTarget().isNone();
    if (givenUp || nowMs >= transfer.deadlineMs()) {
      NodeException why = NodeException.transferFailed(status.leader());
      replies.add(() -> call.reject(why));
      return true;
    }
    return false;
  }

  /** Another leader may or may not complete the changes. Transfers go on: this may be their end. */
  void leadershipLost(NodeException why) {
    changes.forEach(change -> replies.add(() -> change.call().reject(why)));
    changes.clear();
  }

  void failAll(NodeException why) {
    leadershipLost(why);
    transfers.forEach(transfer -> replies.add(() -> transfer.call().reject(why)));
    transfers.clear();
  }
}

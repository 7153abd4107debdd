// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.raft;

/** A handing over that is under way (§3.10). */
final class Transfer {

  private final NodeId target;
  private final long deadlineMs;
  private long nudgeAtMs;

  Transfer(NodeId target, long deadlineMs) {
    this.target = target;
    this.deadlineMs = deadlineMs;
  }

  NodeId target() {
    return target;
  }

  long deadlineMs() {
    return deadlineMs;
  }

  /** When to tell the target to campaign, once it is up to date. */
  long nudgeAtMs() {
    return nudgeAtMs;
  }

  /** The target was told; it is told again at that time, in case the message was lost. */
  void nudged(long againAtMs) {
    nudgeAtMs = againAtMs;
  }
}

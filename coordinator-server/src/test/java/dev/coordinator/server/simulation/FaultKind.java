// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

/** What befalls a cluster, one thing at a time: faults, and changes while there are faults. */
enum FaultKind {
  KILL("kill of a member"),
  KILL_ALL("kill of all members"),
  POWER_CUT("power cut of a member"),
  POWER_CUT_ALL("power cut of all members"),
  CRASH_AFTER_SENDING("crash right after a message was sent"),
  CRASH_AT_DISK("crash right before or after an operation of the disk"),
  WRITE_ERROR("write that fails"),
  SYNC_ERROR("fsync that fails"),
  DISK_ERROR("other operation of the disk that fails"),
  DISK_FULL("full disk"),
  SLOW_DISK("slow disk"),
  HANGING_DISK("disk that hangs for seconds"),
  BIT_FLIP("bits that flip at rest"),
  PAUSE("pause of a member"),
  STARVATION("member with little processor"),
  ISOLATION("member cut off"),
  ONE_WAY_CUT("member cut off in one direction"),
  SPLIT("split into two sides"),
  BRIDGE("two sides with a bridge"),
  RING("ring of majorities"),
  MINORITY_LEADER("leader left with a minority"),
  MUTE_LEADER("new leader that is not heard"),
  FLAPPING("way that flaps"),
  SWIZZLE_CLOG("members clogged one by one"),
  SLOW_NETWORK("slow way to a member"),
  LATE_NEWS("member that still gets late answers when it is heard no more"),
  TRANSFER("leadership handed over"),
  TRANSFER_STORM("leadership handed over every 200 ms"),
  ADD_MEMBER("member added"),
  REMOVE_MEMBER("member removed"),
  REPLACE_MEMBER("member replaced"),
  WIPE("member that lost its disks and came back"),
  SNAPSHOTS("two snapshots asked for at once");

  private final String description;

  FaultKind(String description) {
    this.description = description;
  }

  @Override
  public String toString() {
    return description;
  }
}

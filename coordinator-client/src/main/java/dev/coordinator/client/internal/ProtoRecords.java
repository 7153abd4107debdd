// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.client.internal;

import com.google.protobuf.Duration;
import dev.coordinator.client.LeaseInfo;
import dev.coordinator.client.LockEvent;
import dev.coordinator.client.LockInfo;
import dev.coordinator.client.MemberInfo;
import dev.coordinator.client.MemberStatus;
import dev.coordinator.v1.FollowerStatus;
import dev.coordinator.v1.GetStatusResponse;
import dev.coordinator.v1.Lease;
import dev.coordinator.v1.LeasedLock;
import dev.coordinator.v1.Lock;
import dev.coordinator.v1.LockHolder;
import dev.coordinator.v1.LockWaiter;
import dev.coordinator.v1.Member;
import dev.coordinator.v1.Role;
import java.util.List;
import java.util.Optional;

/** Turns messages of the wire into records of the API. */
public final class ProtoRecords {

  private ProtoRecords() {}

  public static java.time.Duration duration(Duration proto) {
    return java.time.Duration.ofSeconds(proto.getSeconds(), proto.getNanos());
  }

  public static Duration duration(java.time.Duration duration) {
    return Duration.newBuilder()
        .setSeconds(duration.getSeconds())
        .setNanos(duration.getNano())
        .build();
  }

  public static LockInfo lock(Lock proto) {
    return new LockInfo(
        proto.getName(),
        proto.hasHolder() ? Optional.of(holder(proto.getHolder())) : Optional.empty(),
        proto.getWaitersList().stream().map(ProtoRecords::waiter).toList(),
        proto.getWaiterCount());
  }

  public static List<LockInfo> locks(List<Lock> protos) {
    return protos.stream().map(ProtoRecords::lock).toList();
  }

  private static LockInfo.Holder holder(LockHolder proto) {
    return new LockInfo.Holder(
        proto.getLeaseId(),
        proto.getOwner(),
        proto.getToken(),
        proto.getMetadata(),
        duration(proto.getAge()));
  }

  private static LockInfo.Waiter waiter(LockWaiter proto) {
    return new LockInfo.Waiter(proto.getLeaseId(), proto.getOwner(), duration(proto.getAge()));
  }

  public static LeaseInfo lease(Lease proto) {
    return new LeaseInfo(
        proto.getLeaseId(),
        proto.getOwner(),
        duration(proto.getTtl()),
        duration(proto.getRemaining()),
        proto.getHeldList().stream().map(ProtoRecords::leasedLock).toList(),
        proto.getWaitingForList());
  }

  private static LeaseInfo.LeasedLock leasedLock(LeasedLock proto) {
    return new LeaseInfo.LeasedLock(proto.getName(), proto.getToken());
  }

  public static MemberInfo member(Member proto) {
    return new MemberInfo(proto.getMemberId(), proto.getClientAddress(), proto.getPeerAddress());
  }

  public static MemberStatus status(GetStatusResponse proto) {
    return new MemberStatus(
        proto.getHeader().getClusterId(),
        proto.getHeader().getMemberId(),
        role(proto.getRole()),
        proto.getHeader().getTerm(),
        proto.getHeader().getLeaderId(),
        proto.getLeaderAddress(),
        proto.getLastIndex(),
        proto.getDurableIndex(),
        proto.getCommitIndex(),
        proto.getAppliedIndex(),
        proto.getFollowersList().stream().map(ProtoRecords::follower).toList(),
        proto.getLeases(),
        proto.getLocks(),
        proto.getWaiters(),
        proto.getVersion(),
        duration(proto.getUptime()));
  }

  private static MemberStatus.Follower follower(FollowerStatus proto) {
    return new MemberStatus.Follower(
        proto.getMemberId(), proto.getMatchIndex(), proto.getLag(), duration(proto.getSilence()));
  }

  private static MemberStatus.Role role(Role proto) {
    return switch (proto) {
      case ROLE_FOLLOWER -> MemberStatus.Role.FOLLOWER;
      case ROLE_PRE_CANDIDATE -> MemberStatus.Role.PRE_CANDIDATE;
      case ROLE_CANDIDATE -> MemberStatus.Role.CANDIDATE;
      case ROLE_LEADER -> MemberStatus.Role.LEADER;
      default -> MemberStatus.Role.UNKNOWN;
    };
  }

  static LockEvent event(dev.coordinator.v1.LockEvent proto) {
    return new LockEvent(
        proto.getRevision(),
        proto.getOrdinal(),
        kind(proto.getKind()),
        proto.getName(),
        proto.getLeaseId(),
        proto.getOwner(),
        proto.getToken(),
        proto.getMetadata());
  }

  private static LockEvent.Kind kind(dev.coordinator.v1.LockEvent.Kind proto) {
    return switch (proto) {
      case KIND_ACQUIRED -> LockEvent.Kind.ACQUIRED;
      case KIND_RELEASED -> LockEvent.Kind.RELEASED;
      case KIND_EXPIRED -> LockEvent.Kind.EXPIRED;
      case KIND_REVOKED -> LockEvent.Kind.REVOKED;
      default -> LockEvent.Kind.UNKNOWN;
    };
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.wire;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.coordinator.internal.v1.ClusterMember;
import dev.coordinator.internal.v1.ClusterMembership;
import dev.coordinator.internal.v1.SnapshotInfo;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.SnapshotMeta;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Configurations of the cluster, and snapshots that carry one, to protobuf and back. */
public final class MembershipCodec {

  private MembershipCodec() {}

  public static ClusterMembership encode(Membership membership) {
    ClusterMembership.Builder message = ClusterMembership.newBuilder();
    for (MemberInfo member : membership.members()) {
      message.addMembers(
          ClusterMember.newBuilder()
              .setId(member.id().value())
              .setClientAddress(member.clientAddress())
              .setPeerAddress(member.peerAddress())
              .setIncarnation(member.incarnation()));
    }
    return message
        .addAllVoters(numbers(membership.voters()))
        .addAllOutgoing(numbers(membership.outgoing()))
        .addAllLearners(numbers(membership.learners()))
        .setFounding(membership.isFounding())
        .build();
  }

  /** The bytes that {@link #parseMembership} reads. */
  public static byte[] toBytes(Membership membership) {
    return encode(membership).toByteArray();
  }

  public static SnapshotInfo encode(SnapshotMeta snapshot) {
    return SnapshotInfo.newBuilder()
        .setLastIndex(snapshot.last().index())
        .setLastTerm(snapshot.last().term())
        .setClusterTimeMs(snapshot.clusterTimeMs())
        .setMembership(encode(snapshot.membership()))
        .setMembershipIndex(snapshot.membershipIndex())
        .build();
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static Membership decode(ClusterMembership message) {
    Fields.requireKnownFields(message, "membership");
    List<MemberInfo> members = new ArrayList<>(message.getMembersCount());
    for (ClusterMember member : message.getMembersList()) {
      Fields.requireKnownFields(member, "membership.members");
      members.add(
          new MemberInfo(
              new NodeId(member.getId()),
              member.getClientAddress(),
              member.getPeerAddress(),
              member.getIncarnation()));
    }
    requireRising("membership.members.id", members.stream().map(MemberInfo::id).toList());
    List<NodeId> voters = rising("membership.voters", message.getVotersList());
    List<NodeId> outgoing = rising("membership.outgoing", message.getOutgoingList());
    List<NodeId> learners = rising("membership.learners", message.getLearnersList());
    try {
      Membership membership = new Membership(members, voters, outgoing, learners);
      return message.getFounding() ? membership.founding() : membership;
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("membership: " + e.getMessage(), e);
    }
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static Membership parseMembership(byte[] bytes) {
    try {
      return decode(ClusterMembership.parseFrom(bytes));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalArgumentException(
          "membership is not a protobuf message: " + e.getMessage(), e);
    }
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static SnapshotMeta decode(SnapshotInfo message) {
    Fields.requireKnownFields(message, "snapshot");
    Fields.require(message.hasMembership(), "snapshot.membership", "is present", "absent");
    long index = Fields.atLeast(1, "snapshot.last_index", message.getLastIndex());
    long membershipIndex =
        Fields.atLeast(0, "snapshot.membership_index", message.getMembershipIndex());
    if (membershipIndex > index) {
      throw Fields.broken(
          "snapshot.membership_index", "is at most the last index, " + index, membershipIndex);
    }
    return new SnapshotMeta(
        new LogPosition(index, Fields.atLeast(1, "snapshot.last_term", message.getLastTerm())),
        Fields.atLeast(0, "snapshot.cluster_time_ms", message.getClusterTimeMs()),
        decode(message.getMembership()),
        membershipIndex);
  }

  /**
   * @throws IllegalArgumentException naming the field and the rule that it breaks
   */
  public static SnapshotMeta parseSnapshot(byte[] bytes) {
    try {
      return decode(SnapshotInfo.parseFrom(bytes));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalArgumentException(
          "snapshot is not a protobuf message: " + e.getMessage(), e);
    }
  }

  private static List<Long> numbers(Collection<NodeId> ids) {
    List<Long> numbers = new ArrayList<>(ids.size());
    for (NodeId id : ids) {
      numbers.add(id.value());
    }
    return numbers;
  }

  private static List<NodeId> rising(String field, List<Long> numbers) {
    List<NodeId> ids = new ArrayList<>(numbers.size());
    for (long number : numbers) {
      ids.add(new NodeId(number));
    }
    requireRising(field, ids);
    return ids;
  }

  /** There is one way to write a configuration, and nobody is in it twice. */
  private static void requireRising(String field, List<NodeId> ids) {
    NodeId before = NodeId.NONE;
    for (NodeId id : ids) {
      if (id.compareTo(before) <= 0) {
        throw Fields.broken(field, "rises from member to member, from 1 on", id.value());
      }
      before = id;
    }
  }
}

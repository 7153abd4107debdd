// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.UnknownFieldSet;
import dev.coordinator.internal.v1.ClusterMember;
import dev.coordinator.internal.v1.ClusterMembership;
import dev.coordinator.internal.v1.SnapshotInfo;
import dev.coordinator.server.raft.LogPosition;
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.SnapshotMeta;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class MembershipCodecTest {

  private static final NodeId ONE = new NodeId(1);
  private static final NodeId TWO = new NodeId(2);
  private static final NodeId HIGHEST = new NodeId(-1);

  private static final Membership JOINT =
      new Membership(
          List.of(
              new MemberInfo(ONE, "one:7001", "one:7002", Long.MIN_VALUE),
              new MemberInfo(TWO, "two:7001", "two:7002", 0),
              MemberInfo.of(new NodeId(3)),
              new MemberInfo(HIGHEST, "[::1]:7001", "[::1]:7002", 7)),
          List.of(ONE, TWO),
          List.of(ONE, new NodeId(3)),
          List.of(HIGHEST));

  private static final SnapshotMeta SNAPSHOT =
      new SnapshotMeta(new LogPosition(40, 3), 900, JOINT, 39);

  @Test
  void survivesTheWay() {
    assertEquals(
        JOINT, MembershipCodec.parseMembership(MembershipCodec.encode(JOINT).toByteArray()));
    assertEquals(Membership.NONE, MembershipCodec.decode(MembershipCodec.encode(Membership.NONE)));
    Membership founding = new Membership(List.of(ONE, TWO)).founding();
    assertEquals(founding, MembershipCodec.decode(MembershipCodec.encode(founding)));
    assertEquals(
        SNAPSHOT, MembershipCodec.parseSnapshot(MembershipCodec.encode(SNAPSHOT).toByteArray()));
  }

  @Test
  void membershipsThatBreakARuleAreRefused() {
    refused(
        "membership.members.id rises from member to member, from 1 on, not 0",
        joint -> joint.addMembers(0, ClusterMember.getDefaultInstance()));
    refused(
        "membership.members.id rises from member to member, from 1 on, not 1",
        joint -> joint.addMembers(1, joint.getMembers(0)));
    refused(
        "membership.voters rises from member to member, from 1 on, not 2",
        joint -> joint.addVoters(2));
    refused(
        "membership.outgoing rises from member to member, from 1 on, not 1",
        joint -> joint.addOutgoing(1));
    refused(
        "membership.learners rises from member to member, from 1 on, not 3",
        joint -> joint.addLearners(3));
    refused("membership: a voter is no learner", joint -> joint.setLearners(0, 2));
    refused("membership: a cluster begins with voters only", joint -> joint.setFounding(true));
    refused(
        "membership: every member is a voter or a learner",
        ClusterMembership.Builder::clearLearners);
    refused("membership: every member is a voter or a learner", joint -> joint.addVoters(4));
    refused(
        "membership has only known fields, not number 9",
        joint -> joint.setUnknownFields(unknownField()));
    refused(
        "membership.members has only known fields, not number 9",
        joint -> {
          joint.getMembersBuilder(0).setUnknownFields(unknownField());
          return joint;
        });
    assertTrue(
        assertThrows(
                IllegalArgumentException.class,
                () -> MembershipCodec.parseMembership(new byte[] {10, 5, 1}))
            .getMessage()
            .startsWith("membership is not a protobuf message"));
  }

  @Test
  void snapshotsThatBreakARuleAreRefused() {
    refusedSnapshot(
        "snapshot.membership is present, not absent", SnapshotInfo.Builder::clearMembership);
    refusedSnapshot(
        "snapshot.last_index is 1 to 9223372036854775807, not 0",
        SnapshotInfo.Builder::clearLastIndex);
    refusedSnapshot(
        "snapshot.last_term is 1 to 9223372036854775807, not 0",
        SnapshotInfo.Builder::clearLastTerm);
    refusedSnapshot(
        "snapshot.cluster_time_ms is 0 to 9223372036854775807, not 18446744073709551615",
        snapshot -> snapshot.setClusterTimeMs(-1));
    refusedSnapshot(
        "snapshot.membership_index is at most the last index, 40, not 41",
        snapshot -> snapshot.setMembershipIndex(41));
    refusedSnapshot(
        "snapshot has only known fields, not number 9",
        snapshot -> snapshot.setUnknownFields(unknownField()));
  }

  /** One changed byte: refused, or a configuration that is written in just one way. */
  @Test
  void damagedMembershipsAreRefusedOrKeepTheRules() {
    SplittableRandom random = new SplittableRandom(4);
    byte[] bytes = MembershipCodec.encode(JOINT).toByteArray();
    int decoded = 0;
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] damaged = bytes.clone();
      damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
      try {
        Membership membership = MembershipCodec.parseMembership(damaged);
        assertEquals(membership, MembershipCodec.decode(MembershipCodec.encode(membership)));
        decoded++;
      } catch (IllegalArgumentException e) {
        refused++;
      }
    }
    assertTrue(decoded > 1_000 && refused > 1_000, decoded + " decoded, " + refused + " refused");
  }

  private static UnknownFieldSet unknownField() {
    return UnknownFieldSet.newBuilder()
        .addField(9, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
        .build();
  }

  private static void refused(String message, UnaryOperator<ClusterMembership.Builder> change) {
    ClusterMembership broken = change.apply(MembershipCodec.encode(JOINT).toBuilder()).build();
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> MembershipCodec.decode(broken))
            .getMessage());
  }

  private static void refusedSnapshot(String message, UnaryOperator<SnapshotInfo.Builder> change) {
    SnapshotInfo broken = change.apply(MembershipCodec.encode(SNAPSHOT).toBuilder()).build();
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> MembershipCodec.decode(broken))
            .getMessage());
  }
}

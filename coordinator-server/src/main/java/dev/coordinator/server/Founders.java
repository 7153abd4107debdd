// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import dev.coordinator.server.config.ServerConfig;
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import java.util.List;
import java.util.Set;

/** The members that a configuration file lists, as the first configuration of a cluster. */
public final class Founders {

  private Founders() {}

  /** All of them are voters; their data directories are not known yet. */
  public static Membership of(ServerConfig config) {
    List<MemberInfo> members =
        config.members().stream()
            .map(
                member ->
                    new MemberInfo(
                        new NodeId(member.id()),
                        member.client().toString(),
                        member.peer().toString(),
                        0))
            .toList();
    return new Membership(
        members, members.stream().map(MemberInfo::id).toList(), Set.of(), Set.of());
  }
}

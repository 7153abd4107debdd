// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import com.google.common.util.concurrent.ListenableFuture;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.FollowerStatus;
import dev.coordinator.v1.GetStatusRequest;
import dev.coordinator.v1.GetStatusResponse;
import dev.coordinator.v1.ListMembersRequest;
import dev.coordinator.v1.ListMembersResponse;
import dev.coordinator.v1.Member;
import dev.coordinator.v1.Role;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code coordinator status}: how every member is doing. */
@Command(
    name = "status",
    description = {
      "Shows all members: role, term, place in the log, lag behind the leader. A learner gets the"
          + " log but has no vote.",
      "",
      "One reachable member is enough to find the others. Members that do not answer are shown as"
          + " unreachable."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:A majority of the voters answered, and one of them leads.",
      "1:Some members answered, but there is no leader or no majority.",
      "2:The command line is wrong.",
      "5:No member answered."
    },
    footerHeading = "%nExample:%n",
    footer = {
      "  coordinator status --endpoints 10.0.0.1:7420,10.0.0.2:7420",
      "",
      "LAST is the last entry of a member's log, DURABLE what it has on disk, COMMIT what it knows"
          + " a",
      "majority to have on disk, APPLIED what its state reflects, LAG how many entries it lacks of"
          + " the",
      "leader's log.",
      ""
    })
final class StatusCommand implements Callable<Integer> {

  @Option(
      names = "--member-timeout",
      paramLabel = "DURATION",
      defaultValue = "1s",
      converter = TimeSpan.class,
      description = "How long to wait for each member's answer. Default: ${DEFAULT-VALUE}.")
  private Duration memberTimeout;

  @Mixin private ConnectionOptions connections;
  @Mixin private Output output;

  record MemberStatus(
      long memberId,
      String clientAddress,
      boolean voter,
      boolean reachable,
      String role,
      Long term,
      Long leaderId,
      Long lastIndex,
      Long durableIndex,
      Long commitIndex,
      Long appliedIndex,
      Long lag,
      Integer leases,
      Integer locks,
      Integer waiters,
      Long uptimeMs,
      String version,
      String failure) {

    static MemberStatus unreachable(Member member, Long lag, String failure) {
      return new MemberStatus(
          member.getMemberId(),
          member.getClientAddress(),
          !member.getLearner(),
          false,
          "unreachable",
          null,
          null,
          null,
          null,
          null,
          null,
          lag,
          null,
          null,
          null,
          null,
          null,
          failure);
    }

    private static String role(Member member, GetStatusResponse status) {
      return member.getLearner() && status.getRole() == Role.ROLE_FOLLOWER
          ? "learner"
          : status.getRole().name().substring("ROLE_".length()).toLowerCase(Locale.ROOT);
    }

    static MemberStatus of(Member member, GetStatusResponse status, Long lag) {
      return new MemberStatus(
          member.getMemberId(),
          member.getClientAddress(),
          !member.getLearner(),
          true,
          role(member, status),
          status.getHeader().getTerm(),
          status.getHeader().getLeaderId(),
          status.getLastIndex(),
          status.getDurableIndex(),
          status.getCommitIndex(),
          status.getAppliedIndex(),
          status.getRole() == Role.ROLE_LEADER ? Long.valueOf(0) : lag,
          status.getLeases(),
          status.getLocks(),
          status.getWaiters(),
          TimeSpan.millis(status.getUptime()),
          status.getVersion(),
          null);
    }
  }

  record ClusterStatus(String clusterId, Long leaderId, List<MemberStatus> members) {}

  @Override
  public Integer call() throws InterruptedException {
    ListMembersResponse members;
    try (Connection connection = connections.open()) {
      members =
          connection.repeatable(
              (channel, end) ->
                  ClusterServiceGrpc.newBlockingStub(channel)
                      .withDeadline(end)
                      .listMembers(ListMembersRequest.getDefaultInstance()));
    }
    ClusterStatus cluster = ask(members);
    output.print(cluster, () -> text(cluster));
    List<MemberStatus> voters = cluster.members().stream().filter(MemberStatus::voter).toList();
    long reachable = voters.stream().filter(MemberStatus::reachable).count();
    boolean majority = reachable > voters.size() / 2;
    return majority && cluster.leaderId() != null ? ExitCode.OK : ExitCode.FAILED;
  }

  /** Asks all members at the same time. */
  private ClusterStatus ask(ListMembersResponse members) throws InterruptedException {
    List<ManagedChannel> channels = new ArrayList<>();
    try {
      List<ListenableFuture<GetStatusResponse>> answers = new ArrayList<>();
      for (Member member : members.getMembersList()) {
        ManagedChannel channel =
            Grpc.newChannelBuilder(member.getClientAddress(), InsecureChannelCredentials.create())
                .build();
        channels.add(channel);
        answers.add(
            ClusterServiceGrpc.newFutureStub(channel)
                .withDeadlineAfter(memberTimeout.toMillis(), TimeUnit.MILLISECONDS)
                .getStatus(GetStatusRequest.getDefaultInstance()));
      }
      return gather(members, answers);
    } finally {
      channels.forEach(ManagedChannel::shutdownNow);
    }
  }

  private static ClusterStatus gather(
      ListMembersResponse members, List<ListenableFuture<GetStatusResponse>> answers)
      throws InterruptedException {
    Map<Long, GetStatusResponse> statuses = new HashMap<>();
    Map<Long, String> failures = new HashMap<>();
    for (int i = 0; i < answers.size(); i++) {
      long id = members.getMembers(i).getMemberId();
      try {
        statuses.put(id, answers.get(i).get());
      } catch (ExecutionException e) {
        failures.put(
            id,
            e.getCause() instanceof StatusRuntimeException failure
                ? GrpcFailure.describe(failure)
                : String.valueOf(e.getCause()));
      }
    }
    GetStatusResponse leader = null;
    for (GetStatusResponse status : statuses.values()) {
      // A member that was cut off may still think that it leads an older term.
      if (status.getRole() == Role.ROLE_LEADER
          && (leader == null || status.getHeader().getTerm() > leader.getHeader().getTerm())) {
        leader = status;
      }
    }
    Map<Long, Long> lags = new HashMap<>();
    if (leader != null) {
      for (FollowerStatus follower : leader.getFollowersList()) {
        lags.put(follower.getMemberId(), follower.getLag());
      }
    }
    List<MemberStatus> rows = new ArrayList<>();
    for (Member member : members.getMembersList()) {
      long id = member.getMemberId();
      rows.add(
          statuses.containsKey(id)
              ? MemberStatus.of(member, statuses.get(id), lags.get(id))
              : MemberStatus.unreachable(member, lags.get(id), failures.get(id)));
    }
    return new ClusterStatus(
        members.getHeader().getClusterId(),
        leader == null ? null : leader.getHeader().getMemberId(),
        rows);
  }

  private static String text(ClusterStatus cluster) {
    Table table =
        new Table(
            "MEMBER", "ADDRESS", "ROLE", "TERM", "LAST", "DURABLE", "COMMIT", "APPLIED", "LAG",
            "LEASES", "LOCKS", "UP", "VERSION");
    for (MemberStatus member : cluster.members()) {
      table.row(
          member.memberId(),
          member.clientAddress(),
          member.role(),
          member.term(),
          member.lastIndex(),
          member.durableIndex(),
          member.commitIndex(),
          member.appliedIndex(),
          member.lag(),
          member.leases(),
          member.locks(),
          member.uptimeMs() == null ? null : TimeSpan.text(member.uptimeMs()),
          member.version());
    }
    String summary =
        cluster.leaderId() == null
            ? "Cluster '" + cluster.clusterId() + "' has no leader."
            : "Cluster '" + cluster.clusterId() + "', led by member " + cluster.leaderId() + ".";
    return table + System.lineSeparator() + summary;
  }
}

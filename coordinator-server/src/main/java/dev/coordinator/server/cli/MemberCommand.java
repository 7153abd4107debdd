// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import dev.coordinator.v1.AddMemberRequest;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.ClusterServiceGrpc.ClusterServiceBlockingStub;
import dev.coordinator.v1.ListMembersRequest;
import dev.coordinator.v1.ListMembersResponse;
import dev.coordinator.v1.PromoteMemberRequest;
import dev.coordinator.v1.RemoveMemberRequest;
import dev.coordinator.v1.TransferLeadershipRequest;
import io.grpc.Channel;
import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code coordinator member}: who belongs to the cluster, and who leads it. */
@Command(
    name = "member",
    description = {
      "Shows and changes who belongs to the cluster, and hands leadership over.",
      "",
      "A new member begins as a learner: it gets the log, but has no vote. Once it has caught up it"
          + " can be promoted to a voter. A member that lost its data directory does not come back"
          + " under its old id: replace it by a member with a new one.",
      "",
      "A command that was carried out before says so and succeeds again."
    },
    subcommands = {
      MemberCommand.ListAll.class,
      MemberCommand.Add.class,
      MemberCommand.Promote.class,
      MemberCommand.Remove.class,
      MemberCommand.Replace.class,
      MemberCommand.Transfer.class
    },
    footerHeading = "%nExample, member 4 in the place of member 2, whose disk is gone:%n",
    footer = {
      "  coordinator serve --member-id 4 --join ...                        on the new machine",
      "  coordinator member replace 2 4 --client 10.0.0.4:7420 --peer 10.0.0.4:7421",
      ""
    })
final class MemberCommand implements Runnable {

  private static final long PAUSE_MS = 200;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "list, add, promote, remove, replace or transfer is missing");
  }

  /** One exchange with the cluster. */
  private interface Exchange {
    void with(ClusterServiceBlockingStub stub);
  }

  private static ClusterServiceBlockingStub stub(Channel channel, Deadline deadline) {
    return ClusterServiceGrpc.newBlockingStub(channel).withDeadline(deadline);
  }

  /**
   * Asks for a change. That it was made before is no failure.
   *
   * @return what the cluster says to that, empty if it has made the change now
   */
  private static Optional<String> change(Connection connection, Exchange exchange) {
    try {
      connection.once(
          (channel, end) -> {
            exchange.with(stub(channel, end));
            return true;
          });
      return Optional.empty();
    } catch (StatusRuntimeException e) {
      return Optional.of(GrpcFailure.doneAlready(e).orElseThrow(() -> e));
    }
  }

  private static long id(CommandSpec spec, String label, String text) {
    return UnsignedNumber.parse(spec, label, text);
  }

  /** Where a new member is reached. */
  static final class Addresses {

    @Option(
        names = "--client",
        required = true,
        paramLabel = "HOST:PORT",
        description = "Where clients reach the new member.")
    private String client;

    @Option(
        names = "--peer",
        required = true,
        paramLabel = "HOST:PORT",
        description = "Where other members reach the new member.")
    private String peer;

    private AddMemberRequest request(long memberId) {
      return AddMemberRequest.newBuilder()
          .setMemberId(memberId)
          .setClientAddress(client)
          .setPeerAddress(peer)
          .build();
    }
  }

  /** How long to wait for a learner. */
  static final class Patience {

    @Option(
        names = "--wait",
        paramLabel = "DURATION",
        defaultValue = "1m",
        converter = TimeSpan.class,
        description = "How long to wait for the member to catch up. Default: ${DEFAULT-VALUE}.")
    private Duration wait;

    /** Asks for a change until the leader finds that its time has come. */
    private Optional<String> change(Connection connection, Exchange exchange)
        throws InterruptedException {
      Deadline end = Deadline.after(wait.toMillis(), TimeUnit.MILLISECONDS);
      while (true) {
        try {
          return MemberCommand.change(connection, exchange);
        } catch (StatusRuntimeException e) {
          if (!isPassing(e) || end.isExpired()) {
            throw e;
          }
        }
        TimeUnit.MILLISECONDS.sleep(PAUSE_MS);
      }
    }

    /** Whether the cluster says that waiting helps. */
    private static boolean isPassing(StatusRuntimeException e) {
      return e.getStatus().getCode() == Status.Code.FAILED_PRECONDITION
          && GrpcFailure.retryHelps(e);
    }
  }

  record Row(long memberId, String role, String clientAddress, String peerAddress) {}

  record Members(String clusterId, boolean joint, List<Row> members) {

    static Members of(ListMembersResponse response) {
      long leader = response.getHeader().getLeaderId();
      return new Members(
          response.getHeader().getClusterId(),
          response.getJoint(),
          response.getMembersList().stream()
              .map(
                  member ->
                      new Row(
                          member.getMemberId(),
                          member.getLearner()
                              ? "learner"
                              : member.getMemberId() == leader ? "leader" : "voter",
                          member.getClientAddress(),
                          member.getPeerAddress()))
              .toList());
    }

    private String text() {
      Table table = new Table("MEMBER", "ROLE", "CLIENTS", "MEMBERS");
      for (Row member : members) {
        table.row(
            Long.toUnsignedString(member.memberId()),
            member.role(),
            member.clientAddress(),
            member.peerAddress());
      }
      return joint
          ? table + System.lineSeparator() + "A change of voters is under way."
          : table.toString();
    }
  }

  /** {@code member list}. */
  @Command(
      name = "list",
      description = "Lists the members, as one of them knows them.",
      footerHeading = "%nExample:%n",
      footer = {"  coordinator member list --output json", ""})
  static final class ListAll implements Callable<Integer> {

    @Mixin private ConnectionOptions connections;
    @Mixin private Output output;

    @Override
    public Integer call() {
      try (Connection connection = connections.open()) {
        Members members =
            Members.of(
                connection.repeatable(
                    (channel, end) ->
                        stub(channel, end).listMembers(ListMembersRequest.getDefaultInstance())));
        output.print(members, members::text);
      }
      return ExitCode.OK;
    }
  }

  /** {@code member add}. */
  @Command(
      name = "add",
      description = {
        "Adds a member as a learner.",
        "",
        "Start it on its machine with an empty data directory and --join."
      },
      footerHeading = "%nExample:%n",
      footer = {"  coordinator member add 4 --client 10.0.0.4:7420 --peer 10.0.0.4:7421", ""})
  static final class Add implements Callable<Integer> {

    @Parameters(paramLabel = "MEMBER", description = "An id that was never used in this cluster.")
    private String memberId;

    @Mixin private Addresses addresses;
    @Mixin private ConnectionOptions connections;
    @Spec private CommandSpec spec;

    @Override
    public Integer call() {
      AddMemberRequest request = addresses.request(id(spec, "MEMBER", memberId));
      try (Connection connection = connections.open()) {
        change(connection, stub -> stub.addMember(request))
            .ifPresent(spec.commandLine().getOut()::println);
      }
      return ExitCode.OK;
    }
  }

  /** {@code member promote}. */
  @Command(
      name = "promote",
      description = "Makes a learner a voter once it has caught up.",
      footerHeading = "%nExample:%n",
      footer = {"  coordinator member promote 4", ""})
  static final class Promote implements Callable<Integer> {

    @Parameters(paramLabel = "MEMBER", description = "The id of the learner.")
    private String memberId;

    @Mixin private Patience patience;
    @Mixin private ConnectionOptions connections;
    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
      PromoteMemberRequest request =
          PromoteMemberRequest.newBuilder().setMemberId(id(spec, "MEMBER", memberId)).build();
      try (Connection connection = connections.open()) {
        patience
            .change(connection, stub -> stub.promoteMember(request))
            .ifPresent(spec.commandLine().getOut()::println);
      }
      return ExitCode.OK;
    }
  }

  /** {@code member remove}. */
  @Command(
      name = "remove",
      description = "Removes a voter or a learner. It can't come back under the same id.",
      footerHeading = "%nExample:%n",
      footer = {"  coordinator member remove 2", ""})
  static final class Remove implements Callable<Integer> {

    @Parameters(paramLabel = "MEMBER", description = "The id of the member.")
    private String memberId;

    @Mixin private ConnectionOptions connections;
    @Spec private CommandSpec spec;

    @Override
    public Integer call() {
      RemoveMemberRequest request =
          RemoveMemberRequest.newBuilder().setMemberId(id(spec, "MEMBER", memberId)).build();
      try (Connection connection = connections.open()) {
        change(connection, stub -> stub.removeMember(request))
            .ifPresent(spec.commandLine().getOut()::println);
      }
      return ExitCode.OK;
    }
  }

  /** {@code member replace}. */
  @Command(
      name = "replace",
      description = {
        "Adds a member, waits until it has caught up, and gives it the place of another one.",
        "",
        "The number of voters stays the same throughout. Begun again after a failure, it goes on"
            + " where it stopped."
      },
      footerHeading = "%nExample:%n",
      footer = {"  coordinator member replace 2 4 --client 10.0.0.4:7420 --peer 10.0.0.4:7421", ""})
  static final class Replace implements Callable<Integer> {

    @Parameters(index = "0", paramLabel = "OLD", description = "The member that leaves.")
    private String oldId;

    @Parameters(index = "1", paramLabel = "NEW", description = "The id of the member that comes.")
    private String newId;

    @Mixin private Addresses addresses;
    @Mixin private Patience patience;
    @Mixin private ConnectionOptions connections;
    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
      long leaving = id(spec, "OLD", oldId);
      long coming = id(spec, "NEW", newId);
      AddMemberRequest addition = addresses.request(coming);
      PromoteMemberRequest promotion =
          PromoteMemberRequest.newBuilder()
              .setMemberId(coming)
              .setReplacesMemberId(leaving)
              .build();
      try (Connection connection = connections.open()) {
        // It may be there since this was begun before.
        patience.change(connection, stub -> stub.addMember(addition));
        patience
            .change(connection, stub -> stub.promoteMember(promotion))
            .ifPresent(spec.commandLine().getOut()::println);
      }
      return ExitCode.OK;
    }
  }

  /** {@code member transfer}. */
  @Command(
      name = "transfer",
      description = "Hands leadership over to another voter.",
      footerHeading = "%nExample:%n",
      footer = {"  coordinator member transfer 3", ""})
  static final class Transfer implements Callable<Integer> {

    @Parameters(
        arity = "0..1",
        paramLabel = "MEMBER",
        description = "Who shall lead. Default: the voter that has most of the log.")
    private String memberId;

    @Mixin private ConnectionOptions connections;
    @Spec private CommandSpec spec;

    @Override
    public Integer call() {
      TransferLeadershipRequest request =
          TransferLeadershipRequest.newBuilder()
              .setMemberId(memberId == null ? 0 : id(spec, "MEMBER", memberId))
              .build();
      try (Connection connection = connections.open()) {
        long leader =
            connection.once(
                (channel, end) ->
                    stub(channel, end).transferLeadership(request).getHeader().getLeaderId());
        spec.commandLine().getOut().println("member " + Long.toUnsignedString(leader) + " leads");
      } catch (StatusRuntimeException e) {
        spec.commandLine().getOut().println(GrpcFailure.doneAlready(e).orElseThrow(() -> e));
      }
      return ExitCode.OK;
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import dev.coordinator.v1.GetLeaseRequest;
import dev.coordinator.v1.GrantLeaseRequest;
import dev.coordinator.v1.GrantLeaseResponse;
import dev.coordinator.v1.Lease;
import dev.coordinator.v1.LeaseServiceGrpc;
import dev.coordinator.v1.LeaseServiceGrpc.LeaseServiceBlockingStub;
import dev.coordinator.v1.ListLeasesRequest;
import dev.coordinator.v1.ListLeasesResponse;
import dev.coordinator.v1.RenewLeaseRequest;
import dev.coordinator.v1.RenewLeaseResponse;
import dev.coordinator.v1.RevokeLeaseRequest;
import io.grpc.Channel;
import io.grpc.Deadline;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code coordinator lease}: leases by hand. */
@Command(
    name = "lease",
    description = {
      "Grants, renews, revokes and shows leases.",
      "",
      "A lease is what a client keeps alive in order to keep what it holds. If nobody renews it for"
          + " its TTL it ends, and its locks go to the next in line."
    },
    subcommands = {
      LeaseCommand.Grant.class,
      LeaseCommand.Renew.class,
      LeaseCommand.Revoke.class,
      LeaseCommand.Get.class,
      LeaseCommand.ListAll.class,
      LeaseCommand.KeepAlive.class
    },
    footerHeading = "%nExample:%n",
    footer = {
      "  coordinator lease grant --ttl 1m --owner nightly     prints the id",
      "  coordinator lease keep-alive 17                      until Ctrl-C",
      ""
    })
final class LeaseCommand implements Runnable {

  private static final int PAGE_SIZE = 1_000;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "grant, renew, revoke, get, list or keep-alive is missing");
  }

  private static LeaseServiceBlockingStub stub(Channel channel, Deadline deadline) {
    return LeaseServiceGrpc.newBlockingStub(channel).withDeadline(deadline);
  }

  record Granted(long leaseId, long ttlMs) {

    private Table table() {
      return new Table("LEASE", "TTL").row(unsigned(leaseId), TimeSpan.text(ttlMs));
    }
  }

  record Held(String name, long token) {}

  record Details(
      long leaseId,
      String owner,
      long ttlMs,
      long remainingMs,
      List<Held> held,
      List<String> waitingFor) {

    static Details of(Lease lease) {
      return new Details(
          lease.getLeaseId(),
          lease.getOwner(),
          TimeSpan.millis(lease.getTtl()),
          TimeSpan.millis(lease.getRemaining()),
          lease.getHeldList().stream().map(h -> new Held(h.getName(), h.getToken())).toList(),
          List.copyOf(lease.getWaitingForList()));
    }
  }

  /** {@code lease grant}. */
  @Command(
      name = "grant",
      description = "Makes a lease and prints its id.",
      footerHeading = "%nExample:%n",
      footer = {"  coordinator lease grant --ttl 30s --owner \"$HOSTNAME\"", ""})
  static final class Grant implements Callable<Integer> {

    @Option(
        names = "--ttl",
        required = true,
        paramLabel = "DURATION",
        converter = TimeSpan.class,
        description = "How long the lease lives without a renewal, as in 500ms, 30s, 5m.")
    private Duration ttl;

    @Option(
        names = "--owner",
        defaultValue = "",
        paramLabel = "TEXT",
        description = "Who it is for; shown to people.")
    private String owner;

    @Mixin private ConnectionOptions connections;
    @Mixin private Output output;

    @Override
    public Integer call() {
      GrantLeaseRequest request =
          GrantLeaseRequest.newBuilder()
              .setTtl(TimeSpan.toProto(ttl))
              .setOwner(owner)
              .setNonce(UUID.randomUUID().toString())
              .build();
      try (Connection connection = connections.open()) {
        GrantLeaseResponse response =
            connection.repeatable((channel, end) -> stub(channel, end).grantLease(request));
        Granted granted = new Granted(response.getLeaseId(), TimeSpan.millis(response.getTtl()));
        output.print(granted, granted::table);
      }
      return ExitCode.OK;
    }
  }

  /** {@code lease renew}. */
  @Command(
      name = "renew",
      description = "Renews a lease to its full TTL, once.",
      footerHeading = "%nExample:%n",
      footer = {"  */1 * * * *  coordinator lease renew 17      in a crontab, TTL 3m", ""})
  static final class Renew implements Callable<Integer> {

    @Parameters(paramLabel = "LEASE", description = "The id of the lease.")
    private String leaseId;

    @Mixin private ConnectionOptions connections;
    @Mixin private Output output;
    @Spec private CommandSpec spec;

    @Override
    public Integer call() {
      long id = id(spec, leaseId);
      try (Connection connection = connections.open()) {
        RenewLeaseResponse response = renew(connection, id);
        Granted renewed = new Granted(id, TimeSpan.millis(response.getTtl()));
        output.print(renewed, renewed::table);
      }
      return ExitCode.OK;
    }
  }

  /** {@code lease revoke}. */
  @Command(
      name = "revoke",
      description = "Ends a lease at once; its locks go to the next in line.",
      footerHeading = "%nExample:%n",
      footer = {"  coordinator lease revoke 17", ""})
  static final class Revoke implements Callable<Integer> {

    @Parameters(paramLabel = "LEASE", description = "The id of the lease.")
    private String leaseId;

    @Mixin private ConnectionOptions connections;
    @Spec private CommandSpec spec;

    @Override
    public Integer call() {
      RevokeLeaseRequest request =
          RevokeLeaseRequest.newBuilder().setLeaseId(id(spec, leaseId)).build();
      try (Connection connection = connections.open()) {
        connection.once((channel, end) -> stub(channel, end).revokeLease(request));
      }
      return ExitCode.OK;
    }
  }

  /** {@code lease get}. */
  @Command(
      name = "get",
      description = "Shows a lease: the time left, what it holds and what it waits for.",
      footerHeading = "%nExample:%n",
      footer = {"  coordinator lease get 17 --output json", ""})
  static final class Get implements Callable<Integer> {

    @Parameters(paramLabel = "LEASE", description = "The id of the lease.")
    private String leaseId;

    @Mixin private ConnectionOptions connections;
    @Mixin private Output output;
    @Spec private CommandSpec spec;

    @Override
    public Integer call() {
      GetLeaseRequest request = GetLeaseRequest.newBuilder().setLeaseId(id(spec, leaseId)).build();
      try (Connection connection = connections.open()) {
        Details lease =
            Details.of(
                connection
                    .repeatable((channel, end) -> stub(channel, end).getLease(request))
                    .getLease());
        output.print(lease, () -> table(List.of(lease)));
      }
      return ExitCode.OK;
    }
  }

  /** {@code lease list}. */
  @Command(
      name = "list",
      description = "Lists all leases.",
      footerHeading = "%nExample:%n",
      footer = {"  coordinator lease list", ""})
  static final class ListAll implements Callable<Integer> {

    @Mixin private ConnectionOptions connections;
    @Mixin private Output output;

    @Override
    public Integer call() {
      List<Details> leases = new ArrayList<>();
      try (Connection connection = connections.open()) {
        boolean more = true;
        while (more) {
          long after = leases.isEmpty() ? 0 : leases.get(leases.size() - 1).leaseId();
          ListLeasesRequest request =
              ListLeasesRequest.newBuilder().setAfterLeaseId(after).setPageSize(PAGE_SIZE).build();
          ListLeasesResponse page =
              connection.repeatable((channel, end) -> stub(channel, end).listLeases(request));
          page.getLeasesList().forEach(lease -> leases.add(Details.of(lease)));
          more = page.getMore() && page.getLeasesCount() > 0;
        }
      }
      output.print(leases, () -> leases.isEmpty() ? "There are no leases." : table(leases));
      return ExitCode.OK;
    }
  }

  /** {@code lease keep-alive}. */
  @Command(
      name = "keep-alive",
      description = {
        "Renews a lease every third of its TTL until it ends or Ctrl-C.",
        "",
        "While no member answers it goes on trying for as long as the lease may live: until its TTL"
            + " has passed since the last renewal that was answered."
      },
      footerHeading = "%nExample:%n",
      footer = {"  coordinator lease keep-alive 17", ""})
  static final class KeepAlive implements Callable<Integer> {

    @Parameters(paramLabel = "LEASE", description = "The id of the lease.")
    private String leaseId;

    @Mixin private ConnectionOptions connections;
    @Mixin private Output output;
    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
      long id = id(spec, leaseId);
      try (Connection connection = connections.open()) {
        Renewal last = Renewal.make(connection, id);
        while (true) {
          tell(last, id);
          TimeUnit.NANOSECONDS.sleep(last.ttlNanos() / 3 - last.ageNanos());
          last = next(connection, id, last);
        }
      }
    }

    private void tell(Renewal renewal, long id) {
      output.printLine(
          new Granted(id, renewal.ttlMs()),
          () -> "lease " + unsigned(id) + " renewed for " + TimeSpan.text(renewal.ttlMs()));
    }

    /** The next renewal that is answered. */
    private Renewal next(Connection connection, long id, Renewal last) {
      boolean told = false;
      while (true) {
        try {
          return Renewal.make(connection, id);
        } catch (StatusRuntimeException | CliException e) {
          if (!Connection.isOutage(e)) {
            throw e;
          }
          if (last.ageNanos() >= last.ttlNanos()) {
            throw new CliException(
                ExitCode.UNAVAILABLE,
                "lease " + unsigned(id) + " may have ended, its TTL has passed: " + why(e));
          }
          if (!told) {
            warn("lease " + unsigned(id) + " could not be renewed, trying again: " + why(e));
            told = true;
          }
        }
      }
    }

    private static String why(RuntimeException e) {
      return e instanceof StatusRuntimeException failure
          ? GrpcFailure.describe(failure)
          : e.getMessage();
    }

    private void warn(String line) {
      spec.commandLine().getErr().println("coordinator: " + line);
      spec.commandLine().getErr().flush();
    }
  }

  /** A renewal that was answered. The TTL counts from when it was sent. */
  private record Renewal(long sentNanos, long ttlMs) {

    static Renewal make(Connection connection, long id) {
      long sentNanos = System.nanoTime();
      return new Renewal(sentNanos, TimeSpan.millis(renew(connection, id).getTtl()));
    }

    long ttlNanos() {
      return TimeUnit.MILLISECONDS.toNanos(ttlMs);
    }

    long ageNanos() {
      return System.nanoTime() - sentNanos;
    }
  }

  private static RenewLeaseResponse renew(Connection connection, long id) {
    RenewLeaseRequest request = RenewLeaseRequest.newBuilder().setLeaseId(id).build();
    return connection.repeatable((channel, end) -> stub(channel, end).renewLease(request));
  }

  private static Table table(List<Details> leases) {
    Table table = new Table("LEASE", "OWNER", "TTL", "REMAINING", "HOLDS (TOKEN)", "WAITS FOR");
    for (Details lease : leases) {
      table.row(
          unsigned(lease.leaseId()),
          lease.owner(),
          TimeSpan.text(lease.ttlMs()),
          TimeSpan.text(lease.remainingMs()),
          lease.held().stream()
              .map(held -> held.name() + " (" + unsigned(held.token()) + ")")
              .collect(Collectors.joining(", ")),
          String.join(", ", lease.waitingFor()));
    }
    return table;
  }

  private static String unsigned(long number) {
    return Long.toUnsignedString(number);
  }

  private static long id(CommandSpec spec, String text) {
    return UnsignedNumber.parse(spec, "LEASE", text);
  }
}

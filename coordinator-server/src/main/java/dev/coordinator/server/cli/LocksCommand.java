// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import dev.coordinator.v1.CheckSequencerRequest;
import dev.coordinator.v1.CheckSequencerResponse;
import dev.coordinator.v1.GetLockRequest;
import dev.coordinator.v1.GetLockResponse;
import dev.coordinator.v1.ListLocksRequest;
import dev.coordinator.v1.ListLocksResponse;
import dev.coordinator.v1.Lock;
import dev.coordinator.v1.LockHolder;
import dev.coordinator.v1.LockServiceGrpc;
import dev.coordinator.v1.LockServiceGrpc.LockServiceBlockingStub;
import dev.coordinator.v1.ReleaseLockRequest;
import io.grpc.Channel;
import io.grpc.Deadline;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code coordinator locks}: what is held and waited for. */
@Command(
    name = "locks",
    description = {
      "Shows locks, checks a fencing token, releases a lock by hand.",
      "",
      "To hold a lock while a command runs, use 'coordinator lock'."
    },
    subcommands = {
      LocksCommand.ListByPrefix.class,
      LocksCommand.Get.class,
      LocksCommand.Check.class,
      LocksCommand.Release.class
    },
    footerHeading = "%nExample:%n",
    footer = {"  coordinator locks list backups/", ""})
final class LocksCommand implements Runnable {

  private static final int PAGE_SIZE = 1_000;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "list, get, check or release is missing");
  }

  private static LockServiceBlockingStub stub(Channel channel, Deadline deadline) {
    return LockServiceGrpc.newBlockingStub(channel).withDeadline(deadline);
  }

  record Holder(long leaseId, String owner, long token, String metadata, long ageMs) {

    static Holder of(LockHolder holder) {
      return new Holder(
          holder.getLeaseId(),
          holder.getOwner(),
          holder.getToken(),
          holder.getMetadata(),
          TimeSpan.millis(holder.getAge()));
    }
  }

  record Waiter(long leaseId, String owner, long ageMs) {}

  record Details(String name, Holder holder, int waiterCount, List<Waiter> waiters) {

    static Details of(Lock lock) {
      return new Details(
          lock.getName(),
          lock.hasHolder() ? Holder.of(lock.getHolder()) : null,
          lock.getWaiterCount(),
          lock.getWaitersList().stream()
              .map(w -> new Waiter(w.getLeaseId(), w.getOwner(), TimeSpan.millis(w.getAge())))
              .toList());
    }
  }

  record Checked(String name, long token, boolean valid, long currentToken) {}

  /** {@code locks list}. */
  @Command(
      name = "list",
      description = "Lists the locks that are held or waited for.",
      footerHeading = "%nExample:%n",
      footer = {"  coordinator locks list backups/ --output json", ""})
  static final class ListByPrefix implements Callable<Integer> {

    @Parameters(
        arity = "0..1",
        paramLabel = "PREFIX",
        defaultValue = "",
        description = "Only names that begin with this.")
    private String prefix;

    @Mixin private ConnectionOptions connections;
    @Mixin private Output output;

    @Override
    public Integer call() {
      List<Details> locks = new ArrayList<>();
      try (Connection connection = connections.open()) {
        boolean more = true;
        while (more) {
          String after = locks.isEmpty() ? "" : locks.get(locks.size() - 1).name();
          ListLocksRequest request =
              ListLocksRequest.newBuilder()
                  .setPrefix(prefix)
                  .setAfterName(after)
                  .setPageSize(PAGE_SIZE)
                  .build();
          ListLocksResponse page =
              connection.repeatable((channel, end) -> stub(channel, end).listLocks(request));
          page.getLocksList().forEach(lock -> locks.add(Details.of(lock)));
          more = page.getMore() && page.getLocksCount() > 0;
        }
      }
      output.print(locks, () -> locks.isEmpty() ? "No lock is held." : table(locks));
      return ExitCode.OK;
    }
  }

  /** {@code locks get}. */
  @Command(
      name = "get",
      description = "Shows one lock: who holds it, since when, and the queue.",
      footerHeading = "%nExample:%n",
      footer = {"  coordinator locks get backups/db", ""})
  static final class Get implements Callable<Integer> {

    @Parameters(paramLabel = "NAME", description = "The name of the lock.")
    private String name;

    @Mixin private ConnectionOptions connections;
    @Mixin private Output output;

    @Override
    public Integer call() {
      GetLockRequest request = GetLockRequest.newBuilder().setName(name).build();
      try (Connection connection = connections.open()) {
        GetLockResponse response =
            connection.repeatable((channel, end) -> stub(channel, end).getLock(request));
        Details lock =
            response.hasLock()
                ? Details.of(response.getLock())
                : new Details(name, null, 0, List.of());
        output.print(lock, () -> text(lock));
      }
      return ExitCode.OK;
    }

    private static String text(Details lock) {
      if (lock.holder() == null && lock.waiterCount() == 0) {
        return lock.name() + " is free.";
      }
      StringBuilder text = new StringBuilder(table(List.of(lock)).toString());
      if (lock.waiterCount() > 0) {
        Table queue = new Table("QUEUE", "LEASE", "OWNER", "WAITS FOR");
        int place = 0;
        for (Waiter waiter : lock.waiters()) {
          place++;
          queue.row(
              place,
              Long.toUnsignedString(waiter.leaseId()),
              waiter.owner(),
              TimeSpan.text(waiter.ageMs()));
        }
        text.append(System.lineSeparator()).append(queue);
      }
      return text.toString();
    }
  }

  /** {@code locks check}. */
  @Command(
      name = "check",
      description =
          "Tells whether a fencing token is that of the present holder; exit code 1 if not.",
      footerHeading = "%nExample:%n",
      footer = {"  coordinator locks check backups/db \"$COORDINATOR_TOKEN\"", ""})
  static final class Check implements Callable<Integer> {

    @Parameters(index = "0", paramLabel = "NAME", description = "The name of the lock.")
    private String name;

    @Parameters(index = "1", paramLabel = "TOKEN", description = "The fencing token.")
    private String token;

    @Mixin private ConnectionOptions connections;
    @Mixin private Output output;
    @Spec private CommandSpec spec;

    @Override
    public Integer call() {
      CheckSequencerRequest request =
          CheckSequencerRequest.newBuilder()
              .setName(name)
              .setToken(UnsignedNumber.parse(spec, "TOKEN", token))
              .build();
      try (Connection connection = connections.open()) {
        CheckSequencerResponse response =
            connection.repeatable((channel, end) -> stub(channel, end).checkSequencer(request));
        Checked checked =
            new Checked(name, request.getToken(), response.getValid(), response.getCurrentToken());
        output.print(checked, () -> text(checked));
        return checked.valid() ? ExitCode.OK : ExitCode.FAILED;
      }
    }

    private static String text(Checked checked) {
      String token = Long.toUnsignedString(checked.token());
      if (checked.valid()) {
        return token + " holds " + checked.name() + ".";
      }
      return checked.currentToken() == 0
          ? token + " does not hold " + checked.name() + ": it is free."
          : token
              + " does not hold "
              + checked.name()
              + ": "
              + Long.toUnsignedString(checked.currentToken())
              + " does.";
    }
  }

  /** {@code locks release}. */
  @Command(
      name = "release",
      description = {
        "Gives a lock back by hand. Lease, owner and token must be those of the holder.",
        "",
        "To take a lock from a holder that is gone, revoke its lease: 'coordinator lease revoke'."
      },
      footerHeading = "%nExample:%n",
      footer = {"  coordinator locks release backups/db --lease 17 --token 21", ""})
  static final class Release implements Callable<Integer> {

    @Parameters(paramLabel = "NAME", description = "The name of the lock.")
    private String name;

    @Option(
        names = "--lease",
        required = true,
        paramLabel = "ID",
        description = "The lease that holds it.")
    private String lease;

    @Option(
        names = "--token",
        required = true,
        paramLabel = "TOKEN",
        description = "The fencing token of the grant.")
    private String token;

    @Option(
        names = "--owner",
        defaultValue = "",
        paramLabel = "TEXT",
        description = "The owner inside the lease, if one was given.")
    private String owner;

    @Mixin private ConnectionOptions connections;
    @Spec private CommandSpec spec;

    @Override
    public Integer call() {
      ReleaseLockRequest request =
          ReleaseLockRequest.newBuilder()
              .setName(name)
              .setLeaseId(UnsignedNumber.parse(spec, "--lease", lease))
              .setToken(UnsignedNumber.parse(spec, "--token", token))
              .setOwner(owner)
              .build();
      try (Connection connection = connections.open()) {
        connection.once((channel, end) -> stub(channel, end).releaseLock(request));
      }
      return ExitCode.OK;
    }
  }

  private static Table table(List<Details> locks) {
    Table table = new Table("LOCK", "TOKEN", "LEASE", "OWNER", "HELD FOR", "WAITING", "METADATA");
    for (Details lock : locks) {
      Holder holder = lock.holder();
      if (holder == null) {
        table.row(lock.name(), null, null, null, null, lock.waiterCount(), null);
      } else {
        table.row(
            lock.name(),
            Long.toUnsignedString(holder.token()),
            Long.toUnsignedString(holder.leaseId()),
            holder.owner(),
            TimeSpan.text(holder.ageMs()),
            lock.waiterCount(),
            holder.metadata());
      }
    }
    return table;
  }
}

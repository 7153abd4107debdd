// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli;

import dev.coordinator.server.Founders;
import dev.coordinator.server.config.ServerConfig;
import dev.coordinator.server.machine.LeaseState;
import dev.coordinator.server.machine.LockState;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.SnapshotMeta;
import dev.coordinator.server.storage.StorageException;
import dev.coordinator.server.storage.snapshot.SnapshotReader;
import dev.coordinator.server.storage.snapshot.SnapshotRestore;
import dev.coordinator.server.wire.SnapshotCodec;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.SnapshotRequest;
import dev.coordinator.v1.SnapshotResponse;
import io.grpc.Channel;
import io.grpc.Deadline;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code coordinator snapshot}: backups. */
@Command(
    name = "snapshot",
    description = {
      "Saves the state of a running cluster to a file, shows what is in such a file, and makes a"
          + " new cluster from it.",
      "",
      "The file is checked as a whole whenever it is read."
    },
    subcommands = {
      SnapshotCommand.Save.class,
      SnapshotCommand.Inspect.class,
      SnapshotCommand.Restore.class
    },
    footerHeading = "%nExample:%n",
    footer = {"  coordinator snapshot save backup.snapshot", ""})
final class SnapshotCommand implements Runnable {

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "save, inspect or restore is missing");
  }

  record Summary(
      String file,
      long bytes,
      long index,
      long term,
      long clusterTimeMs,
      List<Long> voters,
      List<Long> learners,
      int leases,
      int locks) {

    static Summary of(Path file, SnapshotCodec.Snapshot snapshot) throws IOException {
      SnapshotMeta meta = snapshot.meta();
      return new Summary(
          file.toString(),
          Files.size(file),
          meta.index(),
          meta.last().term(),
          meta.clusterTimeMs(),
          ids(meta.membership().voters()),
          ids(meta.membership().learners()),
          snapshot.state().leaseCount(),
          snapshot.state().lockCount());
    }

    private Table table() {
      return new Table("FILE", "BYTES", "INDEX", "TERM", "VOTERS", "LEARNERS", "LEASES", "LOCKS")
          .row(file, bytes, index, term, list(voters), list(learners), leases, locks);
    }

    private static List<Long> ids(Collection<NodeId> members) {
      return members.stream().map(NodeId::value).toList();
    }

    private static String list(List<Long> members) {
      return String.join(",", members.stream().map(Long::toUnsignedString).toList());
    }
  }

  /** {@code snapshot save}. */
  @Command(
      name = "save",
      description = {
        "Takes a snapshot of the member asked and writes it to a file.",
        "",
        "The file appears under its name once it is whole and checked."
      },
      footerHeading = "%nExample:%n",
      footer = {"  coordinator snapshot save --timeout 1m backup.snapshot", ""})
  static final class Save implements Callable<Integer> {

    @Parameters(paramLabel = "FILE", description = "Where to write it. Must not be there yet.")
    private Path file;

    @Mixin private ConnectionOptions connections;
    @Mixin private Output output;

    @Override
    public Integer call() throws IOException {
      if (Files.exists(file)) {
        throw new CliException(ExitCode.USAGE, "FILE: " + file + " is there already");
      }
      Path directory = file.toAbsolutePath().getParent();
      Path part = temporary(directory);
      try {
        try (Connection connection = connections.open()) {
          // A large snapshot may need all the time there is; a part of it does not do.
          connection.once((channel, end) -> download(channel, end, part));
        }
        SnapshotCodec.Snapshot snapshot = read(part);
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
        try (FileChannel names = FileChannel.open(directory, StandardOpenOption.READ)) {
          names.force(true);
        }
        Summary summary = Summary.of(file, snapshot);
        output.print(summary, summary::table);
        return ExitCode.OK;
      } finally {
        Files.deleteIfExists(part);
      }
    }

    /** A file of its own, since two commands may save to the same name. */
    private Path temporary(Path directory) {
      try {
        return Files.createTempFile(directory, file.getFileName() + ".", ".part");
      } catch (IOException e) {
        throw new CliException(ExitCode.FAILED, "cannot write in " + directory + ": " + e);
      }
    }

    private static boolean download(Channel channel, Deadline end, Path part) {
      Iterator<SnapshotResponse> parts =
          ClusterServiceGrpc.newBlockingStub(channel)
              .withDeadline(end)
              .snapshot(SnapshotRequest.getDefaultInstance());
      try (FileChannel target =
          FileChannel.open(part, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
        while (parts.hasNext()) {
          ByteBuffer data = parts.next().getData().asReadOnlyByteBuffer();
          while (data.hasRemaining()) {
            target.write(data);
          }
        }
        target.force(true);
        return true;
      } catch (IOException e) {
        throw new CliException(ExitCode.FAILED, "cannot write " + part + ": " + e.getMessage());
      }
    }
  }

  record Content(Summary summary, List<LeaseState> leases, List<LockState> locks) {

    private String text() {
      Table leaseTable = new Table("LEASE", "OWNER", "TTL", "ENDS AT (CLUSTER TIME)", "REQUESTS");
      for (LeaseState lease : leases) {
        leaseTable.row(
            Long.toUnsignedString(lease.id()),
            lease.owner(),
            TimeSpan.text(lease.ttlMs()),
            lease.deadlineMs() == Long.MAX_VALUE ? "never" : lease.deadlineMs() + " ms",
            lease.requests().size());
      }
      Table lockTable = new Table("LOCK", "TOKEN", "LEASE", "OWNER", "METADATA", "WAITERS");
      for (LockState lock : locks) {
        LockState.ClaimState holder = lock.holder();
        lockTable.row(
            lock.name(),
            Long.toUnsignedString(holder.token()),
            Long.toUnsignedString(holder.leaseId()),
            holder.owner(),
            holder.metadata(),
            lock.waiters().size());
      }
      String end = System.lineSeparator();
      return summary.table() + end + leaseTable + end + lockTable;
    }
  }

  /** {@code snapshot inspect}. */
  @Command(
      name = "inspect",
      description = "Checks a snapshot file and lists what is in it.",
      footerHeading = "%nExample:%n",
      footer = {"  coordinator snapshot inspect backup.snapshot --output json", ""})
  static final class Inspect implements Callable<Integer> {

    @Parameters(paramLabel = "FILE", description = "The snapshot file.")
    private Path file;

    @Mixin private Output output;

    @Override
    public Integer call() throws IOException {
      SnapshotCodec.Snapshot snapshot = read(file);
      List<LeaseState> leases = new ArrayList<>();
      snapshot.state().leases().forEachRemaining(leases::add);
      List<LockState> locks = new ArrayList<>();
      snapshot.state().locks().forEachRemaining(locks::add);
      Content content = new Content(Summary.of(file, snapshot), leases, locks);
      output.print(content, content::text);
      return ExitCode.OK;
    }
  }

  private static SnapshotCodec.Snapshot read(Path file) throws IOException {
    try {
      return SnapshotReader.read(file);
    } catch (StorageException e) {
      throw new CliException(ExitCode.FAILED, e.getMessage());
    }
  }

  /** {@code snapshot restore}. */
  @Command(
      name = "restore",
      description = {
        "Makes the data directory of a member of a new cluster, which goes on from a snapshot.",
        "",
        "Run it for each member of the new cluster, on its machine, with the same file and with the"
            + " configuration that 'coordinator serve' will get: its clusterId, memberId, members"
            + " and dataDir count. Then start the members. Fencing tokens of the new cluster begin"
            + " above every token that the old one gave, also after the snapshot.",
        "",
        "If a cluster was restored from this file already, or from an older or a newer one of the"
            + " same cluster, that one has given tokens, too: say with --generation which restore"
            + " this is."
      },
      footerHeading = "%nExample:%n",
      footer = {
        "  coordinator snapshot restore backup.snapshot --config member.yaml --cluster-id orders-2",
        ""
      })
  static final class Restore implements Callable<Integer> {

    @Parameters(paramLabel = "FILE", description = "The snapshot file.")
    private Path file;

    @Option(
        names = "--index-gap",
        paramLabel = "ENTRIES",
        defaultValue = "" + SnapshotRestore.DEFAULT_INDEX_GAP,
        description =
            "How far above the snapshot the new cluster's tokens begin: more entries than the old"
                + " cluster can have made since. Default: ${DEFAULT-VALUE}.")
    private long indexGap;

    @Option(
        names = "--generation",
        paramLabel = "N",
        defaultValue = "1",
        description =
            "Which cluster this is that goes on from the one of the snapshot: its tokens begin"
                + " above those of all generations before. The same for all members. Default:"
                + " ${DEFAULT-VALUE}.")
    private int generation;

    @Mixin private ConfigOptions options;
    @Mixin private Output output;

    record Restored(
        String dataDir, String clusterId, long memberId, List<Long> voters, long firstToken) {

      private String text() {
        return String.format(
            "%s is ready for member %s of cluster '%s', whose voters are %s. Its tokens are %d and"
                + " above.",
            dataDir, Long.toUnsignedString(memberId), clusterId, Summary.list(voters), firstToken);
      }
    }

    @Override
    public Integer call() throws IOException {
      ServerConfig config = options.loadFounder();
      SnapshotMeta meta;
      try {
        meta =
            new SnapshotRestore(config.clusterId(), Founders.of(config), indexGap, generation)
                .restore(file, config.dataDir(), new NodeId(config.memberId()));
      } catch (IllegalArgumentException e) {
        throw new CliException(ExitCode.USAGE, e.getMessage());
      } catch (StorageException e) {
        throw new CliException(ExitCode.FAILED, e.getMessage());
      }
      Restored restored =
          new Restored(
              config.dataDir().toString(),
              config.clusterId(),
              config.memberId(),
              Summary.ids(meta.membership().voters()),
              meta.index() + 1);
      output.print(restored, restored::text);
      return ExitCode.OK;
    }
  }
}

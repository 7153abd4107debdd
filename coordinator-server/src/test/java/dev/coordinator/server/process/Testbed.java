// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import dev.coordinator.server.cli.local.Ports;
import dev.coordinator.server.cli.local.TemporaryDirectory;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.GetStatusRequest;
import dev.coordinator.v1.GetStatusResponse;
import dev.coordinator.v1.Role;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A cluster of real member processes on hosts that can break.
 *
 * <p>What it makes outside its directory has its process id in the name: a run that was killed is
 * cleaned up by the next one, and runs at the same time leave each other alone.
 */
final class Testbed implements AutoCloseable {

  private static final String PREFIX = "cf";
  private static final String DIRECTORY_PREFIX = "coordinator-faults-";
  private static final long STATUS_TIMEOUT_MS = 500;
  private static final long POLL_MS = 20;

  /** What a follower under load may lack from one moment to the next. */
  private static final long SMALL_LAG = 200;

  private final Path directory;
  private final Optional<Switch> network;
  private final List<Host> hosts = new ArrayList<>();
  private Replacement replacement;

  /**
   * Makes the hosts and starts no member.
   *
   * @param parent where to make a directory for everything
   * @param needs what there is to make hosts of
   */
  Testbed(Path parent, int members, Set<Need> needs, Map<String, String> settings)
      throws IOException, InterruptedException {
    removeRemains(parent);
    long pid = ProcessHandle.current().pid();
    this.directory = Files.createDirectories(parent.resolve(DIRECTORY_PREFIX + pid));
    this.network =
        needs.contains(Need.NETWORK) ? Optional.of(new Switch(PREFIX + pid)) : Optional.empty();
    List<Ports> free = Ports.free(members);
    List<Optional<HostNetwork>> cables = new ArrayList<>();
    List<String> list = new ArrayList<>();
    for (int i = 0; i < members; i++) {
      cables.add(
          network.isPresent() ? Optional.of(network.get().connect(i + 1)) : Optional.empty());
      String address = cables.get(i).map(HostNetwork::address).orElse("127.0.0.1");
      list.add(
          "%d=%s:%d/%s:%d"
              .formatted(i + 1, address, free.get(i).client(), address, free.get(i).peer()));
    }
    Map<String, String> keys = new TreeMap<>(settings);
    keys.put("members", String.join(",", list));
    for (int i = 0; i < members; i++) {
      int id = i + 1;
      Path home = Files.createDirectories(directory.resolve("member-" + id));
      Optional<HostDisk> disk =
          needs.contains(Need.DISK)
              ? Optional.of(new HostDisk(directory.resolve("disk-" + id), home.resolve("disk")))
              : Optional.empty();
      Optional<Cgroups> cgroups =
          needs.contains(Need.CGROUPS) && disk.isPresent()
              ? Optional.of(new Cgroups(PREFIX + pid + "-" + id))
              : Optional.empty();
      hosts.add(new Host(id, free.get(i), home, cables.get(i), disk, cgroups, keys));
    }
  }

  Path directory() {
    return directory;
  }

  List<Host> hosts() {
    return Collections.unmodifiableList(hosts);
  }

  int majority() {
    return hosts.size() / 2 + 1;
  }

  List<String> endpoints() {
    return hosts.stream().map(Host::clientAddress).toList();
  }

  void start() throws IOException, InterruptedException {
    for (Host host : hosts) {
      host.start();
    }
  }

  /** The member that leads, as far as one can tell; any other if none does. */
  Host leader() {
    GetStatusResponse newest = null;
    for (GetStatusResponse status : statuses()) {
      boolean leads = status.getRole() == Role.ROLE_LEADER;
      if (leads
          && (newest == null || status.getHeader().getTerm() > newest.getHeader().getTerm())) {
        newest = status;
      }
    }
    long id = newest == null ? 0 : newest.getHeader().getMemberId();
    return hosts.stream().filter(host -> host.memberId() == id).findAny().orElse(hosts.get(0));
  }

  /**
   * A new member comes in the place of one that has lost everything. Does what it can at once; the
   * rest is done while the cluster recovers.
   */
  synchronized void replace(Host host) throws IOException, InterruptedException {
    long oldId = host.memberId();
    long newId = hosts.stream().mapToLong(Host::memberId).max().orElseThrow() + 1;
    host.replace(newId, Ports.free(1).get(0));
    replacement = new Replacement(host, oldId);
    replacement.proceed(this);
  }

  private synchronized void proceedWithReplacement() {
    if (replacement != null && replacement.proceed(this)) {
      replacement = null;
    }
  }

  private synchronized boolean isComplete() {
    return replacement == null;
  }

  /** Puts every host right. */
  void heal() throws IOException, InterruptedException {
    for (Host host : hosts) {
      host.heal();
    }
  }

  /** Why a member ended that had no reason to. */
  Optional<String> unexpectedEnd() throws IOException {
    for (Host host : hosts) {
      Optional<String> end = host.unexpectedEnd();
      if (end.isPresent()) {
        return end;
      }
    }
    return Optional.empty();
  }

  /** Waits until all members follow one leader and lack little of its log. */
  void awaitRecovery(Duration limit) throws IOException, InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    List<GetStatusResponse> answers = statuses();
    while (!isComplete() || !haveRecovered(answers)) {
      proceedWithReplacement();
      for (Host host : hosts) {
        host.startIfItMayEnd();
      }
      Optional<String> failed = unexpectedEnd();
      if (failed.isPresent()) {
        throw new Violation(failed.get());
      }
      if (System.nanoTime() - end > 0) {
        throw new Violation(
            "the cluster has not recovered after %d s; its members say %s",
            limit.toSeconds(), answers);
      }
      TimeUnit.MILLISECONDS.sleep(POLL_MS);
      answers = statuses();
    }
    hosts.forEach(Host::hasRecovered);
  }

  private boolean haveRecovered(List<GetStatusResponse> answers) {
    if (answers.size() < hosts.size()) {
      return false;
    }
    Optional<GetStatusResponse> leader =
        answers.stream().filter(answer -> answer.getRole() == Role.ROLE_LEADER).findFirst();
    return leader.isPresent()
        && leader.get().getAppliedIndex() > 0
        && answers.stream()
            .allMatch(
                answer ->
                    answer.getHeader().getTerm() == leader.get().getHeader().getTerm()
                        && answer.getHeader().getLeaderId()
                            == leader.get().getHeader().getMemberId()
                        && leader.get().getCommitIndex() - answer.getAppliedIndex() <= SMALL_LAG);
  }

  private List<GetStatusResponse> statuses() {
    List<GetStatusResponse> answers = new ArrayList<>();
    for (Host host : hosts) {
      if (host.isAlive()) {
        status(host).ifPresent(answers::add);
      }
    }
    return answers;
  }

  private Optional<GetStatusResponse> status(Host host) {
    ManagedChannel channel = host.channel();
    channel.resetConnectBackoff();
    try {
      return Optional.of(
          ClusterServiceGrpc.newBlockingStub(channel)
              .withDeadlineAfter(STATUS_TIMEOUT_MS, TimeUnit.MILLISECONDS)
              .getStatus(GetStatusRequest.getDefaultInstance()));
    } catch (StatusRuntimeException e) {
      return Optional.empty();
    }
  }

  /** Ends everything and removes it, except for the directory with the members' logs. */
  @Override
  public void close() throws IOException, InterruptedException {
    for (Host host : hosts) {
      host.close();
    }
    if (network.isPresent()) {
      network.get().close();
    }
  }

  /** Once closed: removes the logs, too. */
  void deleteLogs() throws IOException {
    TemporaryDirectory.delete(directory);
  }

  /** Once closed: keeps the logs where no later run removes them; tells where. */
  Path keepLogs() throws IOException {
    return Files.move(directory, directory.resolveSibling("failed-" + directory.getFileName()));
  }

  /** Removes what runs left behind that were killed. */
  private static void removeRemains(Path parent) throws IOException, InterruptedException {
    List<Path> directories;
    try (Stream<Path> all = Files.list(parent)) {
      directories =
          all.filter(path -> path.getFileName().toString().startsWith(DIRECTORY_PREFIX)).toList();
    }
    for (Path old : directories) {
      long pid = Long.parseLong(old.getFileName().toString().substring(DIRECTORY_PREFIX.length()));
      if (ProcessHandle.of(pid).isEmpty()) {
        removeRemains(old, PREFIX + pid);
      }
    }
  }

  private static void removeRemains(Path old, String prefix)
      throws IOException, InterruptedException {
    List<Path> homes;
    try (Stream<Path> all = Files.list(old)) {
      homes = all.filter(Files::isDirectory).toList();
    }
    for (Path home : homes) {
      killOwnerOf(home);
      if (Shell.exitCode("mountpoint", "-q", home.resolve("disk").toString()) == 0) {
        Shell.run("umount", home.resolve("disk").toString());
      }
    }
    if (Need.met().contains(Need.NETWORK)) {
      Switch.remove(prefix + "-");
    }
    if (Need.met().contains(Need.CGROUPS)) {
      Cgroups.remove(prefix + "-");
    }
    TemporaryDirectory.delete(old);
  }

  /** The process that runs with this directory, if it still does. */
  private static void killOwnerOf(Path home) throws IOException, InterruptedException {
    Path file = home.resolve("pid");
    if (!Files.exists(file)) {
      return;
    }
    Optional<ProcessHandle> process =
        ProcessHandle.of(Long.parseLong(Files.readString(file).strip()));
    if (process.isPresent() && commandLine(process.get()).contains(home.toString())) {
      process.get().destroyForcibly();
      process.get().onExit().orTimeout(10, TimeUnit.SECONDS).join();
    }
  }

  private static String commandLine(ProcessHandle process) throws IOException {
    Path file = Path.of("/proc", Long.toString(process.pid()), "cmdline");
    return Files.exists(file) ? Files.readString(file) : "";
  }
}

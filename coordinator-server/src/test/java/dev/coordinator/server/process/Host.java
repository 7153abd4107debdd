// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.process;

import dev.coordinator.server.cli.local.ChildJvm;
import dev.coordinator.server.cli.local.Ports;
import dev.coordinator.server.cli.local.TemporaryDirectory;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * The machine that one member runs on, and the member's process: everything about it that can
 * break.
 *
 * <p>Faults break what they like; {@link #heal} puts all of it right again.
 */
final class Host {

  private static final List<String> JVM_OPTIONS =
      List.of(
          "-Xmx384m",
          "-XX:+UseSerialGC",
          // Five members share a small machine: what they take to warm up is missing elsewhere.
          "-XX:TieredStopAtLevel=1",
          "-XX:+ExitOnOutOfMemoryError",
          "-Dtest.log.level=INFO");

  private static final int STOP_LIMIT_S = 10;

  private final Path directory;
  private final Optional<HostNetwork> network;
  private final Optional<HostDisk> disk;
  private final Optional<Cgroups> cgroups;
  private final Map<String, String> settings;
  private final Faketime clock;
  private volatile long memberId;
  private volatile Ports ports;
  private volatile ManagedChannel channel;
  private boolean joins;
  private Process process;
  private Process tracer;
  private boolean ordered;
  private boolean traced;
  private boolean mayEnd;
  private boolean diskInDoubt;

  Host(
      long memberId,
      Ports ports,
      Path directory,
      Optional<HostNetwork> network,
      Optional<HostDisk> disk,
      Optional<Cgroups> cgroups,
      Map<String, String> settings) {
    this.directory = directory;
    this.network = network;
    this.disk = disk;
    this.cgroups = cgroups;
    this.settings = Map.copyOf(settings);
    this.clock = new Faketime(directory.resolve("clock"));
    become(memberId, ports);
  }

  private void become(long newMemberId, Ports newPorts) {
    memberId = newMemberId;
    ports = newPorts;
    channel = Grpc.newChannelBuilder(clientAddress(), InsecureChannelCredentials.create()).build();
  }

  /**
   * Another machine with a blank disk comes in its place, with a member that waits to be added to
   * the cluster.
   */
  synchronized void replace(long newMemberId, Ports newPorts)
      throws IOException, InterruptedException {
    kill();
    if (disk.isPresent()) {
      disk.get().replace();
    } else {
      TemporaryDirectory.delete(dataDirectory());
    }
    diskInDoubt = false;
    channel.shutdownNow();
    become(newMemberId, newPorts);
    joins = true;
    start();
  }

  /** The member that runs here. */
  long memberId() {
    return memberId;
  }

  private List<String> arguments() {
    Map<String, String> keys = new TreeMap<>(settings);
    keys.put("memberId", Long.toString(memberId));
    keys.put("dataDir", dataDirectory().toString());
    keys.put("listen.client", clientAddress());
    keys.put("listen.peer", peerAddress());
    keys.put("listen.http", "off");
    if (joins) {
      keys.put("join", "true");
    }
    List<String> arguments = new ArrayList<>(List.of("serve"));
    keys.forEach((key, value) -> arguments.add("--set=" + key + "=" + value));
    return arguments;
  }

  private String address() {
    return network.map(HostNetwork::address).orElse("127.0.0.1");
  }

  /** Where clients reach the member. */
  String clientAddress() {
    return address() + ":" + ports.client();
  }

  /** Where the other members reach it. */
  String peerAddress() {
    return address() + ":" + ports.peer();
  }

  /** A connection to the member, which answers or passes the call on. */
  ManagedChannel channel() {
    return channel;
  }

  private Path dataDirectory() {
    return disk.map(HostDisk::path).orElse(directory).resolve("data");
  }

  Path logFile() {
    return directory.resolve("log.txt");
  }

  HostNetwork network() {
    return network.orElseThrow();
  }

  HostDisk disk() {
    return disk.orElseThrow();
  }

  Cgroups cgroups() {
    return cgroups.orElseThrow();
  }

  Faketime clock() {
    return clock;
  }

  boolean isAlive() {
    return process != null && process.isAlive();
  }

  /** Starts the member with the data it has. */
  void start() throws IOException, InterruptedException {
    start(List.of());
  }

  /** Starts it with a wall clock that {@link #clock} sets. */
  void startWithOwnClock() throws IOException, InterruptedException {
    start(clock.prefix());
  }

  /** Starts it with its system calls traced by strace with these options, until it is healed. */
  synchronized void startTraced(List<String> options) throws IOException, InterruptedException {
    // The tracer is a process apart, so that ours is the member. Only what is traced is slowed.
    List<String> strace = new ArrayList<>(List.of("strace", "-D", "--seccomp-bpf"));
    strace.addAll(traceOptions(options));
    start(strace);
    traced = true;
  }

  private synchronized void start(List<String> wrapper) throws IOException, InterruptedException {
    // Another fault may have started it meanwhile.
    kill();
    List<String> command = new ArrayList<>();
    cgroups.ifPresent(groups -> command.addAll(groups.prefix()));
    network.ifPresent(net -> command.addAll(net.prefix()));
    command.addAll(wrapper);
    command.addAll(ChildJvm.command(JVM_OPTIONS, arguments()));
    process = ChildJvm.start(command, logFile());
    ordered = false;
    traced = false;
    Files.writeString(directory.resolve("pid"), Long.toString(process.pid()));
  }

  /** SIGKILL. Returns when the process is gone. */
  synchronized void kill() throws InterruptedException {
    ordered = true;
    if (process != null) {
      process.destroyForcibly().waitFor();
    }
  }

  /** SIGTERM, and SIGKILL if it does not end in time. */
  synchronized void stop() throws InterruptedException {
    ordered = true;
    if (isAlive()) {
      process.destroy();
      if (!process.waitFor(STOP_LIMIT_S, TimeUnit.SECONDS)) {
        kill();
      }
    }
  }

  /** SIGSTOP: it keeps its connections and does nothing. */
  void freeze() throws IOException, InterruptedException {
    signal("STOP");
  }

  /** SIGCONT. */
  void thaw() throws IOException, InterruptedException {
    signal("CONT");
  }

  private void signal(String name) throws IOException, InterruptedException {
    if (isAlive()) {
      // A process that ends at this moment takes no signals.
      Shell.exitCode("kill", "-" + name, Long.toString(process.pid()));
    }
  }

  /**
   * Lets strace meddle with the system calls of the running process, until it is healed.
   *
   * @return that process; other faults may start another meanwhile
   */
  synchronized Process trace(List<String> options) throws IOException {
    List<String> command = new ArrayList<>(List.of("strace", "-p", Long.toString(process.pid())));
    command.addAll(traceOptions(options));
    tracer =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("strace-errors.txt").toFile())
            .start();
    return process;
  }

  private List<String> traceOptions(List<String> options) throws IOException {
    Files.deleteIfExists(traceFile());
    List<String> all = new ArrayList<>(List.of("-f", "-qq", "-o", traceFile().toString()));
    all.addAll(options);
    return all;
  }

  private Path traceFile() {
    return directory.resolve("strace.txt");
  }

  /** Whether strace has made a system call fail. */
  boolean sawInjectedError() throws IOException {
    return Files.exists(traceFile())
        && Files.readString(traceFile(), StandardCharsets.ISO_8859_1).contains("(INJECTED)");
  }

  /** The member may end by itself until the cluster has recovered: its disk lets it down. */
  synchronized void mayEnd() {
    mayEnd = true;
  }

  /** Besides, its file system has to be mounted again before it can be used. */
  synchronized void diskFails() {
    mayEnd = true;
    diskInDoubt = true;
  }

  /** Why the process ended, if it did so without any reason that we know of. */
  synchronized Optional<String> unexpectedEnd() throws IOException {
    if (process == null || process.isAlive() || ordered || mayEnd || traced) {
      return Optional.empty();
    }
    List<String> log = Files.readAllLines(logFile());
    return Optional.of(
        "member %d ended by itself with exit code %d; its last words: %s"
            .formatted(
                memberId, process.exitValue(), log.isEmpty() ? "none" : log.get(log.size() - 1)));
  }

  /** Puts everything right and lets the member run. */
  synchronized void heal() throws IOException, InterruptedException {
    if (tracer != null) {
      tracer.destroy();
      tracer.waitFor();
      tracer = null;
    }
    thaw();
    if (traced) {
      kill();
    }
    if (network.isPresent()) {
      network.get().heal();
    }
    if (disk.isPresent()) {
      disk.get().freeSpace();
    }
    if (diskInDoubt) {
      kill();
      disk().restart();
    }
    clock.set(Faketime.TRUE_TIME);
    if (cgroups.isPresent()) {
      cgroups.get().heal(disk().device());
    }
    if (!isAlive()) {
      start();
    }
    diskInDoubt = false;
  }

  /** Once healed: starts a member that was about to end because of what its disk had done. */
  synchronized void startIfItMayEnd() throws IOException, InterruptedException {
    if (mayEnd && !isAlive()) {
      start();
    }
  }

  /** From now on the member has no reason to end. */
  synchronized void hasRecovered() {
    mayEnd = false;
  }

  /** Ends the process and takes everything down. */
  void close() throws IOException, InterruptedException {
    channel.shutdownNow();
    kill();
    if (disk.isPresent()) {
      disk.get().close();
    }
    if (cgroups.isPresent()) {
      cgroups.get().close();
    }
  }
}

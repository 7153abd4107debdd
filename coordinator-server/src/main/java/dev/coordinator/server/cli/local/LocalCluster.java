// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.local;

import dev.coordinator.server.cli.CliException;
import dev.coordinator.server.cli.ExitCode;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.GetStatusRequest;
import dev.coordinator.v1.GetStatusResponse;
import dev.coordinator.v1.Role;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A cluster of member processes on this machine, each with its own data directory. */
public final class LocalCluster implements AutoCloseable {

  /** Enough for what benchmarks and demonstrations keep; leaves room on a small machine. */
  private static final List<String> JVM_OPTIONS =
      List.of("-Xmx512m", "-XX:+ExitOnOutOfMemoryError");

  private static final long STATUS_TIMEOUT_MS = 500;
  private static final long POLL_MS = 10;

  /** What a follower of a busy leader may lack from one moment to the next. */
  private static final long SMALL_LAG = 1_000;

  private final Map<Long, MemberProcess> members = new TreeMap<>();
  private final Map<Long, ManagedChannel> channels = new TreeMap<>();

  /**
   * Describes a cluster whose members are not started.
   *
   * @param settings configuration keys that all members share
   */
  public LocalCluster(Path directory, List<Ports> ports, Map<String, String> settings) {
    String list = Ports.membersKey(ports);
    for (int i = 0; i < ports.size(); i++) {
      long id = i + 1L;
      Path home = directory.resolve("member-" + id);
      Map<String, String> keys = new TreeMap<>(settings);
      keys.put("memberId", Long.toString(id));
      keys.put("members", list);
      keys.put("dataDir", home.resolve("data").toString());
      keys.put("listen.client", "127.0.0.1:" + ports.get(i).client());
      keys.put("listen.peer", "127.0.0.1:" + ports.get(i).peer());
      keys.put("listen.http", "127.0.0.1:" + ports.get(i).http());
      List<String> arguments = new ArrayList<>(List.of("serve"));
      keys.forEach((key, value) -> arguments.add("--set=" + key + "=" + value));
      MemberProcess member =
          new MemberProcess(id, ports.get(i), home, ChildJvm.command(JVM_OPTIONS, arguments));
      members.put(id, member);
      channels.put(
          id,
          Grpc.newChannelBuilder(member.clientAddress(), InsecureChannelCredentials.create())
              .build());
    }
  }

  public List<MemberProcess> members() {
    return List.copyOf(members.values());
  }

  public MemberProcess member(long id) {
    return members.get(id);
  }

  public List<String> endpoints() {
    return members.values().stream().map(MemberProcess::clientAddress).toList();
  }

  public void start() {
    members.values().forEach(MemberProcess::start);
  }

  /** Waits until a majority follows one leader; returns it. */
  public MemberProcess awaitLeader(Duration limit) throws InterruptedException {
    return awaitLeader(members.size() / 2 + 1, limit);
  }

  /** Waits until all members follow one leader and lack at most a few entries of its log. */
  public MemberProcess awaitAll(Duration limit) throws InterruptedException {
    return awaitLeader(members.size(), limit);
  }

  private MemberProcess awaitLeader(int followers, Duration limit) throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    while (System.nanoTime() - end < 0) {
      Optional<Long> leader = leaderOf(followers);
      if (leader.isPresent()) {
        return members.get(leader.get());
      }
      requireNoneFailed();
      TimeUnit.MILLISECONDS.sleep(POLL_MS);
    }
    throw new CliException(
        ExitCode.UNAVAILABLE,
        "the members did not agree on a leader within " + limit.toSeconds() + " s; see " + logs());
  }

  /** The leader that at least so many members, itself included, name and keep up with. */
  private Optional<Long> leaderOf(int wanted) {
    List<GetStatusResponse> answers = new ArrayList<>();
    for (MemberProcess member : members.values()) {
      if (member.isAlive()) {
        status(member).ifPresent(answers::add);
      }
    }
    for (GetStatusResponse leader : answers) {
      if (leader.getRole() != Role.ROLE_LEADER) {
        continue;
      }
      long following =
          answers.stream()
              .filter(
                  answer ->
                      answer.getHeader().getTerm() == leader.getHeader().getTerm()
                          && answer.getHeader().getLeaderId() == leader.getHeader().getMemberId())
              .count();
      long caughtUp =
          1 + leader.getFollowersList().stream().filter(f -> f.getLag() <= SMALL_LAG).count();
      boolean serves = leader.getAppliedIndex() > 0;
      if (serves && following >= wanted && caughtUp >= wanted) {
        return Optional.of(leader.getHeader().getMemberId());
      }
    }
    return Optional.empty();
  }

  private Optional<GetStatusResponse> status(MemberProcess member) {
    ManagedChannel channel = channels.get(member.id());
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

  /** A member that ends by itself at its start will not get better. */
  private void requireNoneFailed() {
    for (MemberProcess member : members.values()) {
      Optional<Integer> exit = member.exitedByItself();
      if (exit.isPresent()) {
        throw new CliException(
            ExitCode.FAILED,
            "member %d ended with exit code %d; its last words: %s"
                .formatted(member.id(), exit.get(), lastLine(member.logFile())));
      }
    }
  }

  private static String lastLine(Path log) {
    try {
      List<String> lines = Files.readAllLines(log);
      return lines.isEmpty() ? "none" : lines.get(lines.size() - 1);
    } catch (IOException e) {
      return "unknown: " + e.getMessage();
    }
  }

  private String logs() {
    return members.values().stream()
        .map(member -> member.logFile().toString())
        .collect(Collectors.joining(", "));
  }

  /** Stops all members. */
  @Override
  public void close() {
    channels.values().forEach(ManagedChannel::shutdownNow);
    try {
      for (MemberProcess member : members.values()) {
        member.terminate();
      }
      for (MemberProcess member : members.values()) {
        member.stop();
      }
    } catch (InterruptedException e) {
      members.values().forEach(MemberProcess::destroy);
      Thread.currentThread().interrupt();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import dev.coordinator.server.config.ServerConfig;
import dev.coordinator.server.raft.RaftStatus;
import dev.coordinator.v1.ClusterServiceGrpc;
import dev.coordinator.v1.GetStatusRequest;
import dev.coordinator.v1.GetStatusResponse;
import dev.coordinator.v1.LeaseServiceGrpc;
import dev.coordinator.v1.LockServiceGrpc;
import dev.coordinator.v1.Role;
import dev.coordinator.v1.WatchServiceGrpc;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Members of one cluster in this process, on loopback ports that the system gives. */
public final class InProcessCluster implements AutoCloseable {

  private static final int START_ATTEMPTS = 5;
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(30);

  private final Path directory;
  private final Map<Integer, CoordinatorServer> servers = new TreeMap<>();
  private final Map<Integer, Map<String, String>> flags = new TreeMap<>();
  private final Map<Integer, ManagedChannel> channels = new HashMap<>();

  private InProcessCluster(Path directory) {
    this.directory = directory;
  }

  /** Starts members 1 to {@code size}, with these configuration keys besides the necessary ones. */
  public static InProcessCluster start(Path directory, int size, Map<String, String> settings)
      throws IOException {
    for (int attempt = 1; ; attempt++) {
      var cluster = new InProcessCluster(directory.resolve("attempt-" + attempt));
      cluster.configure(size, settings);
      try {
        for (int id = 1; id <= size; id++) {
          cluster.start(id);
        }
        return cluster;
      } catch (IOException e) {
        // Somebody else took one of the ports in the meantime.
        cluster.close();
        if (attempt == START_ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  private void configure(int size, Map<String, String> settings) throws IOException {
    List<Integer> ports = FreePorts.take(2 * size);
    String members =
        IntStream.range(0, size)
            .mapToObj(
                i ->
                    "%d=127.0.0.1:%d/127.0.0.1:%d"
                        .formatted(i + 1, ports.get(2 * i), ports.get(2 * i + 1)))
            .collect(Collectors.joining(","));
    for (int i = 0; i < size; i++) {
      var all = new HashMap<String, String>();
      all.put("clusterId", "test");
      all.put("memberId", Integer.toString(i + 1));
      all.put("members", members);
      all.put("dataDir", dataDir(i + 1).toString());
      all.put("listen.client", "127.0.0.1:" + ports.get(2 * i));
      all.put("listen.peer", "127.0.0.1:" + ports.get(2 * i + 1));
      all.put("listen.http", "127.0.0.1:0");
      all.put("storage.segmentSize", "1MiB");
      all.putAll(settings);
      flags.put(i + 1, all);
    }
  }

  /** Starts a further member, which waits to be added to the cluster. */
  public void join(int member) throws IOException {
    for (int attempt = 1; ; attempt++) {
      List<Integer> ports = FreePorts.take(2);
      var all = new HashMap<>(flags.get(1));
      all.remove("members");
      all.put("join", "true");
      all.put("memberId", Integer.toString(member));
      all.put("dataDir", dataDir(member).toString());
      all.put("listen.client", "127.0.0.1:" + ports.get(0));
      all.put("listen.peer", "127.0.0.1:" + ports.get(1));
      flags.put(member, all);
      try {
        start(member);
        return;
      } catch (IOException e) {
        if (attempt == START_ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  /** Where a member keeps what it knows. */
  public Path dataDir(int member) {
    return directory.resolve("member-" + member);
  }

  public void start(int member) throws IOException {
    var server = new CoordinatorServer(ServerConfig.of(flags.get(member)));
    server.start();
    servers.put(member, server);
  }

  public void stop(int member) {
    servers.remove(member).close();
  }

  public CoordinatorServer server(int member) {
    return servers.get(member);
  }

  public String clientAddress(int member) {
    return flags.get(member).get("listen.client");
  }

  public String peerAddress(int member) {
    return flags.get(member).get("listen.peer");
  }

  public ManagedChannel channel(int member) {
    return channels.computeIfAbsent(
        member,
        id ->
            Grpc.newChannelBuilder(clientAddress(id), InsecureChannelCredentials.create()).build());
  }

  public LockServiceGrpc.LockServiceBlockingStub locks(int member) {
    return LockServiceGrpc.newBlockingStub(channel(member)).withDeadlineAfter(20, TimeUnit.SECONDS);
  }

  public LeaseServiceGrpc.LeaseServiceBlockingStub leases(int member) {
    return LeaseServiceGrpc.newBlockingStub(channel(member))
        .withDeadlineAfter(20, TimeUnit.SECONDS);
  }

  public WatchServiceGrpc.WatchServiceStub watches(int member) {
    return WatchServiceGrpc.newStub(channel(member));
  }

  public GetStatusResponse status(int member) {
    return ClusterServiceGrpc.newBlockingStub(channel(member))
        .withDeadlineAfter(5, TimeUnit.SECONDS)
        .getStatus(GetStatusRequest.getDefaultInstance());
  }

  /** What a member tells Prometheus. */
  public String metrics(int member) throws IOException, InterruptedException {
    URI uri = URI.create("http://" + server(member).httpAddress().orElseThrow() + "/metrics");
    return HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
        .body();
  }

  /**
   * Waits until all running members agree on a leader, which is one of them, and the cluster has
   * begun: until then it needs all of its members. Returns the leader.
   */
  public int awaitLeader() {
    var leader = new int[1];
    await(
        "a leader that all know",
        () -> {
          List<GetStatusResponse> all = servers.keySet().stream().map(this::status).toList();
          leader[0] = (int) all.get(0).getHeader().getLeaderId();
          return servers.containsKey(leader[0])
              && status(leader[0]).getRole() == Role.ROLE_LEADER
              && all.stream().allMatch(status -> status.getHeader().getLeaderId() == leader[0])
              && hasBegun(servers.get(leader[0]));
        });
    return leader[0];
  }

  private static boolean hasBegun(CoordinatorServer leader) {
    RaftStatus raft = leader.node().status().raft();
    return raft.membershipIndex() > 0 && raft.isMembershipSettled();
  }

  /** Waits until some member leads, whether others know it or not. */
  int awaitAnyLeader() {
    await("a leader", () -> servers.values().stream().anyMatch(server -> server.node().isLeader()));
    return servers.keySet().stream()
        .filter(id -> servers.get(id).node().isLeader())
        .findFirst()
        .orElseGet(this::awaitAnyLeader);
  }

  /** Some running member that does not lead. */
  public int awaitFollower() {
    int leader = awaitLeader();
    return servers.keySet().stream().filter(id -> id != leader).findFirst().orElseThrow();
  }

  /** Some running member that neither leads nor is the other one. */
  public int awaitFollowerOtherThan(int other) {
    int leader = awaitLeader();
    return servers.keySet().stream()
        .filter(id -> id != leader && id != other)
        .findFirst()
        .orElseThrow();
  }

  /** Repeats a call while it is refused as unavailable, as a client does. */
  public static <T> T retry(Callable<T> call) throws Exception {
    long giveUpAt = System.nanoTime() + PATIENCE_NS;
    while (true) {
      try {
        return call.call();
      } catch (StatusRuntimeException e) {
        boolean unavailable = e.getStatus().getCode() == io.grpc.Status.Code.UNAVAILABLE;
        if (!unavailable || System.nanoTime() > giveUpAt) {
          throw e;
        }
        TimeUnit.MILLISECONDS.sleep(5);
      }
    }
  }

  public static void await(String what, BooleanSupplier condition) {
    long giveUpAt = System.nanoTime() + PATIENCE_NS;
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > giveUpAt) {
        throw new AssertionError("waited in vain for " + what);
      }
      try {
        TimeUnit.MILLISECONDS.sleep(5);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new AssertionError("interrupted while waiting for " + what, e);
      }
    }
  }

  @Override
  public void close() {
    channels.values().forEach(ManagedChannel::shutdownNow);
    servers.values().forEach(CoordinatorServer::close);
    servers.clear();
  }
}

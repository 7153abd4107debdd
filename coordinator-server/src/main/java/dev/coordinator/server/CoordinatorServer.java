// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import dev.coordinator.server.api.ClientServices;
import dev.coordinator.server.config.Address;
import dev.coordinator.server.config.ServerConfig;
import dev.coordinator.server.metrics.JvmMetrics;
import dev.coordinator.server.metrics.LimitMetrics;
import dev.coordinator.server.metrics.NodeMetrics;
import dev.coordinator.server.metrics.PeerMetrics;
import dev.coordinator.server.metrics.RpcMetrics;
import dev.coordinator.server.metrics.SequencerMetrics;
import dev.coordinator.server.metrics.SnapshotMetrics;
import dev.coordinator.server.metrics.StorageMetrics;
import dev.coordinator.server.ports.TimeSource;
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftTrace;
import dev.coordinator.server.raft.RoleKind;
import dev.coordinator.server.runtime.CoordinatorNode;
import dev.coordinator.server.runtime.Mailbox;
import dev.coordinator.server.runtime.MemberState;
import dev.coordinator.server.runtime.NodeLoop;
import dev.coordinator.server.runtime.NodePorts;
import dev.coordinator.server.runtime.NodeThread;
import dev.coordinator.server.storage.DataDirectory;
import dev.coordinator.server.storage.SegmentedLogStore;
import dev.coordinator.server.storage.snapshot.FileSnapshotStore;
import dev.coordinator.server.storage.snapshot.RecoveredState;
import dev.coordinator.server.transport.ForwardedCalls;
import dev.coordinator.server.transport.Forwarding;
import dev.coordinator.server.transport.Leadership;
import dev.coordinator.server.transport.PeerTransport;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One member of a cluster: builds its parts from the configuration, starts them and closes them. A
 * process may have several.
 *
 * <p>Threads besides gRPC's own: the node loop, the log writer, one that works on snapshots, one
 * that reads them for backups, one that answers callers, one that wakes watchers, one for what
 * happens now and then.
 */
public final class CoordinatorServer implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(CoordinatorServer.class);
  private static final long EXECUTOR_GRACE_MS = 1_000;
  private static final long CLOSE_LIMIT_MS = 10_000;

  /** After a failure the process had better end soon, and start anew. */
  private static final long FAILED_CLOSE_LIMIT_MS = 5_000;

  private final ServerConfig config;
  private final PartSettings settings;
  private final TimeSource time = System::nanoTime;
  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final CompletableFuture<Void> terminated = new CompletableFuture<>();

  // In the order of making; null until made.
  private JvmMetrics jvmMetrics;
  private ScheduledExecutorService scheduler;
  private ExecutorService replies;
  private ExecutorService watches;
  private ExecutorService backups;
  private DataDirectory directory;
  private SegmentedLogStore logStore;
  private FileSnapshotStore snapshots;
  private PeerTransport peers;
  private NodeThread thread;
  private CoordinatorNode node;
  private Forwarding forwarding;
  private HealthReporter health;
  private ClientServices services;
  private ClientPort clientPort;
  private HttpEndpoint http;
  private boolean started;
  private Thread closing;

  public CoordinatorServer(ServerConfig config) {
    this.config = config;
    this.settings = new PartSettings(config);
  }

  /**
   * Reads the log, opens the ports and begins to take part in the cluster.
   *
   * @throws IOException if the data directory or a port cannot be used; the server is closed then
   */
  public synchronized void start() throws IOException {
    if (started || closing != null) {
      throw new IllegalStateException("a server is started once");
    }
    started = true;
    try {
      build();
      open();
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
    log.info(
        "member {} of cluster {} serves clients at {}, members at {}{}",
        config.memberId(),
        config.clusterId(),
        clientAddress(),
        peerAddress(),
        httpAddress().map(address -> ", metrics at http://" + address + "/metrics").orElse(""));
  }

  private void build() throws IOException {
    jvmMetrics = new JvmMetrics(registry);
    scheduler = Executors.newSingleThreadScheduledExecutor(task -> thread("scheduler", task));
    replies = Executors.newSingleThreadExecutor(task -> thread("replies", task));
    watches = Executors.newSingleThreadExecutor(task -> thread("watches", task));
    backups = Executors.newSingleThreadExecutor(task -> thread("backups", task));

    directory = DataDirectory.open(config.dataDir(), config.clusterId(), settings.self());
    logStore =
        SegmentedLogStore.open(directory, settings.log(), new StorageMetrics(registry), time);
    snapshots =
        FileSnapshotStore.open(
            directory, settings.snapshots(), new SnapshotMetrics(registry), time);

    var nodeMetrics =
        NodeMetrics.register(
            registry, Arrays.stream(RoleKind.values()).map(RoleKind::name).toList());
    int maxQueued = config.limits().maxQueuedInputs();
    var mailbox = new Mailbox(maxQueued, maxQueued, nodeMetrics.loop());
    peers = new PeerTransport(settings.peers(), mailbox, new PeerMetrics(registry), scheduler);
    var loop = loop(mailbox, nodeMetrics);
    thread = new NodeThread("node-" + config.memberId(), loop, time, this::stopAfter);
    logStore.start(mailbox);
    snapshots.start(mailbox);
    node = new CoordinatorNode(loop);
    buildClientSide();
  }

  private NodeLoop loop(Mailbox mailbox, NodeMetrics metrics) throws IOException {
    RecoveredState recovered = snapshots.recover(settings.bootstrap(), logStore);
    var loop =
        new NodeLoop(
            new MemberState(settings.self(), recovered.restored(), recovered.machine()),
            settings.node(),
            new NodePorts(
                mailbox,
                logStore,
                snapshots,
                peers,
                time,
                new SplittableRandom(new SecureRandom().nextLong()),
                replies,
                watches,
                RaftTrace.NONE),
            metrics,
            time.nanoTime());
    Membership present = loop.core().membership();
    if (present.isFounding()) {
      log.info(
          "the cluster has not begun yet: it does once all of its founders, {}, are up", present);
    }
    warnOfOtherMembers(present);
    return loop;
  }

  /** The log has the last word, whatever the configuration file has come to say. */
  private void warnOfOtherMembers(Membership present) {
    for (MemberInfo configured : settings.bootstrap().members()) {
      MemberInfo known = present.member(configured.id());
      if (known == null) {
        log.warn("members: member {} was removed from the cluster", configured.id());
      } else if (!known.peerAddress().equals(configured.peerAddress())
          || !known.clientAddress().equals(configured.clientAddress())) {
        log.warn(
            "members: member {} is known to the cluster at {} and {}, not at {} and {}; to move it,"
                + " remove it and add it again with another id",
            configured.id(),
            known.clientAddress(),
            known.peerAddress(),
            configured.clientAddress(),
            configured.peerAddress());
      }
    }
  }

  private void buildClientSide() throws IOException {
    var rpcMetrics = new RpcMetrics(registry);
    var leadership = new Leadership(node);
    forwarding =
        new Forwarding(
            settings.peers(),
            leadership,
            ClientServices.ANYWHERE,
            ClientServices.ENDING_LEADERSHIP,
            rpcMetrics,
            scheduler);
    services =
        new ClientServices(
            settings.api(version()),
            new ClientServices.Parts(
                node,
                leadership,
                forwarding,
                new ForwardedCalls(settings.peers(), leadership),
                snapshots,
                backups,
                time,
                scheduler),
            rpcMetrics,
            new SequencerMetrics(registry),
            new LimitMetrics(registry));
    health = new HealthReporter(node, services.definitions());
    clientPort =
        new ClientPort(config.listen().client(), config.grpc(), services.definitions(), health);
  }

  private void open() throws IOException {
    listen("listen.peer", config.listen().peer(), () -> peers.start(services.forwarded()));
    listen("listen.client", config.listen().client(), clientPort::open);
    if (config.listen().http().isPresent()) {
      Address address = config.listen().http().get();
      listen(
          "listen.http",
          address,
          () -> http = new HttpEndpoint(address, registry::scrape, health::isServing));
      http.start();
    }
    thread.start();
    forwarding.start();
    health.start(scheduler);
  }

  private interface Opening {
    void open() throws IOException;
  }

  private static void listen(String key, Address address, Opening opening) throws IOException {
    try {
      opening.open();
    } catch (IOException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new IOException(
          "cannot listen at " + address + " (" + key + "): " + cause.getMessage(), e);
    }
  }

  private Thread thread(String name, Runnable task) {
    var daemon = new Thread(task, name + "-" + config.memberId());
    daemon.setDaemon(true);
    return daemon;
  }

  private static String version() {
    String version = CoordinatorServer.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  /** The member itself, for tests. */
  CoordinatorNode node() {
    return node;
  }

  /** Where clients are served; the port is the one that is really open. */
  public Address clientAddress() {
    return config.listen().client().withPort(clientPort.port());
  }

  /** Where other members are served. */
  public Address peerAddress() {
    return config.listen().peer().withPort(peers.port());
  }

  /** Where metrics and health are served, unless that is off. */
  public Optional<Address> httpAddress() {
    return config.listen().http().map(address -> address.withPort(http.port()));
  }

  /** Ends when the server is closed; exceptionally if it had to stop because of a failure. */
  public CompletableFuture<Void> terminated() {
    return terminated.copy();
  }

  /**
   * Waits until the server is closed.
   *
   * @throws java.util.concurrent.CompletionException with the failure that stopped it, if one did
   */
  public void awaitTermination() {
    terminated.join();
  }

  /** Called on the node's own thread, which closing waits for. */
  private void stopAfter(Throwable failure) {
    thread(
            "stop",
            () -> {
              close(FAILED_CLOSE_LIMIT_MS);
              terminated.completeExceptionally(failure);
            })
        .start();
  }

  @Override
  public void close() {
    if (!terminated.isDone()) {
      close(CLOSE_LIMIT_MS);
      terminated.complete(null);
    }
  }

  /** Waits until all parts are closed, but no longer than this: a disk that hangs may keep one. */
  private void close(long limitMs) {
    Thread parts = closing();
    long startNanos = System.nanoTime();
    boolean interrupted = false;
    long leftMs = limitMs;
    while (parts.isAlive() && leftMs > 0) {
      try {
        parts.join(leftMs);
      } catch (InterruptedException e) {
        // Whoever comes back finds the data directory free, if it can be.
        interrupted = true;
      }
      leftMs = limitMs - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNanos);
    }
    if (parts.isAlive()) {
      log.error("not everything could be closed within {} ms", limitMs);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized Thread closing() {
    if (closing == null) {
      closing = thread("close", this::closeParts);
      closing.start();
    }
    return closing;
  }

  /**
   * Closes the parts so that callers learn as much as possible: leadership goes to another member,
   * no new calls are taken, then the node ends those that wait, then connections close.
   */
  private void closeParts() {
    ifMade(health, HealthReporter::stopping);
    ifMade(node, this::handOver);
    ifMade(clientPort, ClientPort::drain);
    ifMade(thread, NodeThread::close);
    ifMade(replies, CoordinatorServer::finish);
    ifMade(peers, PeerTransport::close);
    ifMade(logStore, SegmentedLogStore::close);
    ifMade(snapshots, FileSnapshotStore::close);
    ifMade(directory, DataDirectory::close);
    ifMade(clientPort, ClientPort::close);
    ifMade(forwarding, Forwarding::close);
    ifMade(http, HttpEndpoint::close);
    ifMade(watches, CoordinatorServer::finish);
    ifMade(backups, CoordinatorServer::finish);
    ifMade(scheduler, ExecutorService::shutdownNow);
    ifMade(jvmMetrics, JvmMetrics::close);
    registry.close();
    log.info("member {} has stopped", config.memberId());
  }

  /** A leader that left without a word would be missed only after others have noticed. */
  private void handOver(CoordinatorNode leaving) throws InterruptedException {
    if (!leaving.isLeader() || !peers.isConnected()) {
      return;
    }
    try {
      leaving
          .transferLeadership(NodeId.NONE)
          .get(config.raft().electionTimeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      log.info("member {} stops as the leader: nobody takes over", config.memberId());
    }
  }

  private static void finish(ExecutorService executor) throws InterruptedException {
    executor.shutdown();
    executor.awaitTermination(EXECUTOR_GRACE_MS, TimeUnit.MILLISECONDS);
  }

  private interface Closing<T> {
    void close(T part) throws Exception;
  }

  private static <T> void ifMade(T part, Closing<T> closing) {
    if (part == null) {
      return;
    }
    try {
      closing.close(part);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Throwable e) {
      // An Error as well: the other parts must be closed all the same.
      log.warn("not everything could be closed", e);
    }
  }
}

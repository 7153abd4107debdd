// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import dev.coordinator.server.metrics.PeerMetrics;
import dev.coordinator.server.ports.Inbox;
import dev.coordinator.server.ports.PeerSender;
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import dev.coordinator.server.raft.Sender;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries messages between this member and the others: a server on the peer port, a link to each
 * member of the present configuration. Whoever speaks to this member is answered on the same way,
 * in the configuration or not. The port also serves the calls that other members pass on.
 */
public final class PeerTransport implements PeerSender, AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(PeerTransport.class);

  private static final int MAX_METADATA_BYTES = 8 << 10;
  private static final long HANDSHAKE_TIMEOUT_S = 2;
  private static final long KEEP_ALIVE_TIME_S = 10;
  private static final long KEEP_ALIVE_TIMEOUT_S = 5;
  private static final long PERMIT_KEEP_ALIVE_TIME_S = 5;

  /** How long a member that was removed is still spoken to. */
  private static final long FAREWELL_MS = 10_000;

  private final PeerSettings settings;
  private final Inbox inbox;
  private final PeerMetrics metrics;
  private final ScheduledExecutorService scheduler;
  private final Map<NodeId, PeerLink> links = new ConcurrentHashMap<>();
  private final PeerEndpoint endpoint;
  private final NettyServerBuilder port;
  private volatile Sender self = Sender.UNKNOWN;
  private Membership members = Membership.NONE;
  private Server server;
  private boolean closed;

  /**
   * @param scheduler opens broken links again; owned by the caller
   */
  public PeerTransport(
      PeerSettings settings, Inbox inbox, PeerMetrics metrics, ScheduledExecutorService scheduler) {
    this.settings = settings;
    this.inbox = inbox;
    this.metrics = metrics;
    this.scheduler = scheduler;
    endpoint = new PeerEndpoint(settings, () -> self, this::connection, inbox, metrics);
    // A member's connection carries what all of its clients do, so calls and resets are not
    // limited.
    port =
        NettyServerBuilder.forAddress(settings.listen())
            .addService(CallGuard.protect(endpoint.bindService()))
            // No handler blocks, so none needs a thread of its own.
            .directExecutor()
            .maxInboundMessageSize(settings.maxMessageBytes())
            .maxInboundMetadataSize(MAX_METADATA_BYTES)
            .handshakeTimeout(HANDSHAKE_TIMEOUT_S, TimeUnit.SECONDS)
            .keepAliveTime(KEEP_ALIVE_TIME_S, TimeUnit.SECONDS)
            .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_S, TimeUnit.SECONDS)
            .permitKeepAliveTime(PERMIT_KEEP_ALIVE_TIME_S, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true);
  }

  private Connection connection(NodeId peer) {
    PeerLink link = links.get(peer);
    return link == null ? null : link.connection();
  }

  /**
   * Opens the peer port.
   *
   * @param forwarded serve the calls that other members pass on
   */
  public void start(List<ServerServiceDefinition> forwarded) throws IOException {
    forwarded.forEach(port::addService);
    server = port.build().start();
  }

  /** Links this member to those of the configuration; to those that left it, for a while. */
  @Override
  public synchronized void configure(Sender newSelf, Membership membership) {
    self = newSelf;
    if (closed) {
      return;
    }
    members = membership;
    for (PeerLink link : links.values()) {
      MemberInfo member = membership.member(link.peer());
      if (member == null) {
        // It has yet to hear that it is removed.
        scheduler.schedule(() -> unlinkIfRemoved(link), FAREWELL_MS, TimeUnit.MILLISECONDS);
      } else if (!member.peerAddress().equals(link.address())) {
        unlink(link);
      }
    }
    for (MemberInfo member : membership.members()) {
      if (!member.id().equals(settings.self()) && !links.containsKey(member.id())) {
        link(member);
      }
    }
  }

  private synchronized void unlinkIfRemoved(PeerLink link) {
    if (!members.contains(link.peer()) && links.get(link.peer()) == link) {
      unlink(link);
    }
  }

  private void unlink(PeerLink link) {
    links.remove(link.peer());
    link.close();
    metrics.unbindPeer(link.peer().value());
  }

  private void link(MemberInfo member) {
    Connection connection = new Connection(member.id(), inbox, metrics);
    PeerLink link;
    try {
      link = new PeerLink(member, settings, () -> self, connection, inbox, metrics, scheduler);
    } catch (IllegalArgumentException e) {
      // The cluster goes on without it; it can be removed.
      log.warn("member {} cannot be reached: {}", member.id(), e.getMessage());
      return;
    }
    metrics.bindPeer(member.id().value(), connection::isConnected);
    links.put(member.id(), link);
    link.start();
  }

  /** Whether any other member is connected. */
  public boolean isConnected() {
    return links.values().stream().anyMatch(link -> link.connection().isConnected());
  }

  /** The port that is really open. */
  public int port() {
    return server.getPort();
  }

  @Override
  public void send(RaftMessage message) {
    if (message instanceof RaftMessage.AppendEntriesReply reply) {
      endpoint.send(reply);
    } else if (message instanceof RaftMessage.RequestVoteReply reply) {
      endpoint.send(reply);
    } else if (message instanceof RaftMessage.InstallSnapshotReply reply) {
      endpoint.send(reply);
    } else if (message instanceof RaftMessage.ReadIndexReply reply) {
      endpoint.send(reply);
    } else {
      PeerLink link = links.get(message.to());
      // To one that has just left, or whom only others know.
      if (link != null) {
        link.send(message);
      }
    }
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      links.values().forEach(PeerLink::close);
    }
    if (server == null) {
      return;
    }
    server.shutdownNow();
    try {
      server.awaitTermination(1, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

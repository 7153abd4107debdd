// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import dev.coordinator.server.metrics.PeerMetrics;
import dev.coordinator.server.ports.Inbox;
import dev.coordinator.server.ports.PeerSender;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.raft.RaftMessage;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Carries messages between this member and the others: a server on the peer port, a link to each.
 * The port also serves the calls that other members pass on.
 */
public final class PeerTransport implements PeerSender, AutoCloseable {

  private static final int MAX_METADATA_BYTES = 8 << 10;
  private static final long HANDSHAKE_TIMEOUT_S = 2;
  private static final long KEEP_ALIVE_TIME_S = 10;
  private static final long KEEP_ALIVE_TIMEOUT_S = 5;
  private static final long PERMIT_KEEP_ALIVE_TIME_S = 5;

  private final Map<NodeId, PeerLink> links = new HashMap<>();
  private final PeerEndpoint endpoint;
  private final NettyServerBuilder port;
  private Server server;

  /**
   * @param scheduler opens broken links again; owned by the caller
   */
  public PeerTransport(
      PeerSettings settings, Inbox inbox, PeerMetrics metrics, ScheduledExecutorService scheduler) {
    var connections = new HashMap<NodeId, Connection>();
    for (MemberAddress peer : settings.peers()) {
      var connection = new Connection(peer.id(), inbox, metrics);
      metrics.bindPeer(peer.id().value(), connection::isConnected);
      connections.put(peer.id(), connection);
      links.put(peer.id(), new PeerLink(peer, settings, connection, inbox, metrics, scheduler));
    }
    endpoint = new PeerEndpoint(settings, connections, inbox, metrics);
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

  /**
   * Opens the peer port and begins to connect to the other members.
   *
   * @param forwarded serve the calls that other members pass on
   */
  public void start(List<ServerServiceDefinition> forwarded) throws IOException {
    forwarded.forEach(port::addService);
    server = port.build().start();
    links.values().forEach(PeerLink::start);
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
    } else {
      PeerLink link = links.get(message.to());
      if (message instanceof RaftMessage.AppendEntries request) {
        link.send(request);
      } else if (message instanceof RaftMessage.RequestVote request) {
        link.send(request);
      }
    }
  }

  @Override
  public void close() {
    links.values().forEach(PeerLink::close);
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

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import dev.coordinator.internal.v1.Envelope;
import dev.coordinator.server.metrics.RpcMetrics;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.wire.Failure;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Passes clients' calls on to the leader's peer port, one hop and never two, so that any member
 * answers. Keeps a connection to every other member, since any of them may lead the next moment; it
 * is another one than that of the Raft messages, which must not queue behind answers.
 */
public final class Forwarding implements ServerInterceptor, AutoCloseable {

  /** A leader's answers are as large as what they show. */
  private static final int MAX_ANSWER_BYTES = 64 << 20;

  private static final long LEADER_CHECK_INTERVAL_MS = 100;

  private final PeerSettings settings;
  private final Leadership leadership;
  private final RpcMetrics metrics;
  private final Map<NodeId, PersistentChannel> channels = new HashMap<>();
  private final Set<Hop<?, ?>> hops = ConcurrentHashMap.newKeySet();

  /**
   * @param scheduler owned by the caller
   */
  public Forwarding(
      PeerSettings settings,
      Leadership leadership,
      RpcMetrics metrics,
      ScheduledExecutorService scheduler) {
    this.settings = settings;
    this.leadership = leadership;
    this.metrics = metrics;
    for (MemberAddress peer : settings.peers()) {
      channels.put(peer.id(), new PersistentChannel(peer.peer(), MAX_ANSWER_BYTES, scheduler));
    }
    scheduler.scheduleWithFixedDelay(
        this::giveUpFormerLeaders,
        LEADER_CHECK_INTERVAL_MS,
        LEADER_CHECK_INTERVAL_MS,
        TimeUnit.MILLISECONDS);
  }

  public void start() {
    channels.values().forEach(PersistentChannel::connect);
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    if (leadership.isLeader()) {
      return next.startCall(call, headers);
    }
    NodeId leader = leadership.leader();
    if (leader.isNone()) {
      return refuse(call, leadership.noLeader());
    }
    if (leader.equals(settings.self())) {
      return refuse(call, leadership.notLeader(leader));
    }
    metrics.forwarded();
    ManagedChannel channel = channels.get(leader).channel();
    var hop = new Hop<>(call, leader, leadership, hops::remove);
    hops.add(hop);
    return hop.start(channel, markedFor(leader));
  }

  private Metadata markedFor(NodeId leader) {
    var headers = new Metadata();
    headers.put(
        ForwardedCalls.FORWARDED,
        Envelope.newBuilder()
            .setClusterId(settings.clusterId())
            .setFrom(settings.self().value())
            .setTo(leader.value())
            .build());
    return headers;
  }

  private static <Q> ServerCall.Listener<Q> refuse(ServerCall<Q, ?> call, Failure failure) {
    call.close(failure.status(), failure.trailers());
    return new ServerCall.Listener<>() {};
  }

  /** A leader that froze never answers; its calls end as soon as another member leads. */
  private void giveUpFormerLeaders() {
    NodeId leader = leadership.leader();
    if (!leader.isNone()) {
      for (Hop<?, ?> hop : hops) {
        if (!hop.leader().equals(leader)) {
          hop.giveUp("member " + leader + " leads");
        }
      }
    }
  }

  @Override
  public void close() {
    channels.values().forEach(PersistentChannel::close);
  }
}

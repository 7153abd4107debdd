// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

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
 * Passes clients' calls on to the leader, one hop and never two, so that any member answers. Keeps
 * a connection to every other member, since any of them may lead the next moment.
 */
public final class Forwarding implements ServerInterceptor, AutoCloseable {

  /** Marks a call that was passed on, with the number of the member that did it. */
  static final Metadata.Key<String> FORWARDED =
      Metadata.Key.of("coordinator-forwarded", Metadata.ASCII_STRING_MARSHALLER);

  /** A leader's answers are as large as what they show. */
  private static final int MAX_ANSWER_BYTES = 64 << 20;

  private static final long LEADER_CHECK_INTERVAL_MS = 100;

  private final NodeId self;
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
    this.self = settings.self();
    this.leadership = leadership;
    this.metrics = metrics;
    for (MemberAddress peer : settings.peers()) {
      channels.put(peer.id(), new PersistentChannel(peer.client(), MAX_ANSWER_BYTES, scheduler));
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
    if (headers.containsKey(FORWARDED) || leader.equals(self)) {
      return refuse(call, leadership.notLeader(leader));
    }
    metrics.forwarded();
    ManagedChannel channel = channels.get(leader).channel();
    var hop = new Hop<>(call, leader, leadership, hops::remove);
    hops.add(hop);
    var marked = new Metadata();
    marked.put(FORWARDED, self.toString());
    return hop.start(channel, marked);
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

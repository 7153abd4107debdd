// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import dev.coordinator.internal.v1.Envelope;
import dev.coordinator.server.metrics.RpcMetrics;
import dev.coordinator.server.raft.MemberInfo;
import dev.coordinator.server.raft.Membership;
import dev.coordinator.server.raft.NodeId;
import dev.coordinator.server.wire.Failure;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Passes clients' calls on to the leader's peer port, one hop and never two, so that any member
 * answers. Keeps a connection to every other member, since any of them may lead the next moment; it
 * is another one than that of the Raft messages, which must not queue behind answers.
 */
public final class Forwarding implements ServerInterceptor, AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Forwarding.class);

  /** A leader's answers are as large as what they show. */
  private static final int MAX_ANSWER_BYTES = 64 << 20;

  private static final long CHECK_INTERVAL_MS = 100;

  /** The way to a member, and the address to which it leads. */
  private record Way(String address, PersistentChannel channel) {}

  private final PeerSettings settings;
  private final Leadership leadership;
  private final Set<String> anywhere;
  private final Set<String> endingLeadership;
  private final RpcMetrics metrics;
  private final ScheduledExecutorService scheduler;
  private final Map<NodeId, Way> ways = new HashMap<>();

  /** Those that are given up when another member leads. */
  private final Set<Hop<?, ?>> hops = ConcurrentHashMap.newKeySet();

  private Membership followed;
  private boolean closed;

  /**
   * @param anywhere the full names of the methods that any member answers itself
   * @param endingLeadership those to which a leader answers when it does not lead any more
   * @param scheduler owned by the caller
   */
  public Forwarding(
      PeerSettings settings,
      Leadership leadership,
      Set<String> anywhere,
      Set<String> endingLeadership,
      RpcMetrics metrics,
      ScheduledExecutorService scheduler) {
    this.settings = settings;
    this.leadership = leadership;
    this.anywhere = anywhere;
    this.endingLeadership = endingLeadership;
    this.metrics = metrics;
    this.scheduler = scheduler;
  }

  public void start() {
    scheduler.scheduleWithFixedDelay(this::check, 0, CHECK_INTERVAL_MS, TimeUnit.MILLISECONDS);
  }

  private void check() {
    followMembership();
    giveUpFormerLeaders();
  }

  /**
   * Keeps a connection to whoever may lead next. Called often: another configuration is another
   * object.
   */
  @SuppressWarnings("ReferenceEquality")
  private synchronized void followMembership() {
    Membership membership = leadership.membership();
    if (closed || membership == followed) {
      return;
    }
    followed = membership;
    for (NodeId known : List.copyOf(ways.keySet())) {
      MemberInfo member = membership.member(known);
      if (member == null || !member.peerAddress().equals(ways.get(known).address())) {
        ways.remove(known).channel().close();
      }
    }
    for (MemberInfo member : membership.members()) {
      if (!member.id().equals(settings.self()) && !ways.containsKey(member.id())) {
        open(member);
      }
    }
  }

  private void open(MemberInfo member) {
    PersistentChannel channel;
    try {
      channel = new PersistentChannel(member.peerAddress(), MAX_ANSWER_BYTES, scheduler);
    } catch (IllegalArgumentException e) {
      log.warn("no call can be passed on to member {}: {}", member.id(), e.getMessage());
      return;
    }
    ways.put(member.id(), new Way(member.peerAddress(), channel));
    channel.connect();
  }

  /** The way to a member; null if it is not known. */
  private synchronized ManagedChannel channelTo(NodeId member) {
    followMembership();
    Way way = ways.get(member);
    return way == null ? null : way.channel().channel();
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    boolean answeredHere = anywhere.contains(call.getMethodDescriptor().getFullMethodName());
    if (answeredHere || leadership.isLeader()) {
      return next.startCall(call, headers);
    }
    NodeId leader = leadership.leader();
    if (leader.isNone()) {
      return refuse(call, leadership.noLeader());
    }
    if (leader.equals(settings.self())) {
      return refuse(call, leadership.notLeader(leader));
    }
    ManagedChannel channel = channelTo(leader);
    if (channel == null) {
      // This member is behind: it hears a leader of whom its own log does not know yet.
      return refuse(call, leadership.noLeader());
    }
    metrics.forwarded();
    var hop = new Hop<>(call, leader, leadership, hops::remove);
    if (!endingLeadership.contains(call.getMethodDescriptor().getFullMethodName())) {
      hops.add(hop);
    }
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
  public synchronized void close() {
    closed = true;
    ways.values().forEach(way -> way.channel().close());
  }
}

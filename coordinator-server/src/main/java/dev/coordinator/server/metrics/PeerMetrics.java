// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** Counts what passes between members. */
public final class PeerMetrics {

  private record PeerMeters(
      Gauge connected, Counter sent, Counter received, Counter dropped, Counter disconnects) {}

  private final MeterRegistry registry;
  private final Map<Long, PeerMeters> peers = new ConcurrentHashMap<>();
  private final Counter refused;

  public PeerMetrics(MeterRegistry registry) {
    this.registry = registry;
    this.refused =
        Counter.builder("coordinator.peer.refused")
            .description("Messages on the peer port that no member of this cluster sends")
            .register(registry);
  }

  /** Makes the meters of one peer. Of others nothing is counted. */
  public void bindPeer(long peer, BooleanSupplier connected) {
    peers.put(
        peer,
        new PeerMeters(
            Gauge.builder("coordinator.peer.connected", () -> connected.getAsBoolean() ? 1 : 0)
                .description("1 while the peer is connected")
                .tag("peer", Long.toUnsignedString(peer))
                .register(registry),
            counter("coordinator.peer.sent", "Messages sent to the peer", peer),
            counter("coordinator.peer.received", "Messages received from the peer", peer),
            counter(
                "coordinator.peer.dropped",
                "Messages to the peer that were dropped because it could not take them",
                peer),
            counter("coordinator.peer.disconnects", "Broken connections to the peer", peer)));
  }

  /** Takes the meters of a peer away. */
  public void unbindPeer(long peer) {
    PeerMeters meters = peers.remove(peer);
    if (meters != null) {
      registry.remove(meters.connected);
      registry.remove(meters.sent);
      registry.remove(meters.received);
      registry.remove(meters.dropped);
      registry.remove(meters.disconnects);
    }
  }

  private Counter counter(String name, String description, long peer) {
    return Counter.builder(name)
        .description(description)
        .tag("peer", Long.toUnsignedString(peer))
        .register(registry);
  }

  public void sent(long peer) {
    count(peer, PeerMeters::sent);
  }

  public void received(long peer) {
    count(peer, PeerMeters::received);
  }

  public void dropped(long peer) {
    count(peer, PeerMeters::dropped);
  }

  public void disconnected(long peer) {
    count(peer, PeerMeters::disconnects);
  }

  private void count(long peer, Function<PeerMeters, Counter> which) {
    PeerMeters meters = peers.get(peer);
    if (meters != null) {
      which.apply(meters).increment();
    }
  }

  public void refused() {
    refused.increment();
  }
}

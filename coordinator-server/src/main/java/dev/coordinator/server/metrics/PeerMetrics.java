// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;

/** Counts what passes between members. */
public final class PeerMetrics {

  private record PeerCounters(
      Counter sent, Counter received, Counter dropped, Counter disconnects) {}

  private final MeterRegistry registry;
  private final Map<Long, PeerCounters> peers = new ConcurrentHashMap<>();
  private final Counter refused;

  public PeerMetrics(MeterRegistry registry) {
    this.registry = registry;
    this.refused =
        Counter.builder("coordinator.peer.refused")
            .description("Messages on the peer port that no member of this cluster sends")
            .register(registry);
  }

  /** Makes the meters of one peer. */
  public void bindPeer(long peer, BooleanSupplier connected) {
    Gauge.builder("coordinator.peer.connected", () -> connected.getAsBoolean() ? 1 : 0)
        .description("1 while the peer is connected")
        .tag("peer", Long.toUnsignedString(peer))
        .register(registry);
    peers.put(
        peer,
        new PeerCounters(
            counter("coordinator.peer.sent", "Messages sent to the peer", peer),
            counter("coordinator.peer.received", "Messages received from the peer", peer),
            counter(
                "coordinator.peer.dropped",
                "Messages to the peer that were dropped because it could not take them",
                peer),
            counter("coordinator.peer.disconnects", "Broken connections to the peer", peer)));
  }

  private Counter counter(String name, String description, long peer) {
    return Counter.builder(name)
        .description(description)
        .tag("peer", Long.toUnsignedString(peer))
        .register(registry);
  }

  public void sent(long peer) {
    peers.get(peer).sent.increment();
  }

  public void received(long peer) {
    peers.get(peer).received.increment();
  }

  public void dropped(long peer) {
    peers.get(peer).dropped.increment();
  }

  public void disconnected(long peer) {
    peers.get(peer).disconnects.increment();
  }

  public void refused() {
    refused.increment();
  }
}

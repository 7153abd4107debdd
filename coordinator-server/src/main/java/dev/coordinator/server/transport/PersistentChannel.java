// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.transport;

import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * A channel to another member that is kept connected. gRPC itself would wait up to two minutes
 * before it tries an address again; members try after 100 ms to one second.
 */
final class PersistentChannel implements AutoCloseable {

  private static final long MIN_BACKOFF_MS = 100;
  private static final long MAX_BACKOFF_MS = 1_000;
  private static final int CONNECT_TIMEOUT_MS = 2_000;
  private static final long KEEP_ALIVE_TIME_S = 10;
  private static final long KEEP_ALIVE_TIMEOUT_S = 5;

  private final ManagedChannel channel;
  private final ScheduledExecutorService scheduler;

  private boolean retrying;

  /**
   * @throws IllegalArgumentException if the host of the address cannot stand in a URI
   */
  PersistentChannel(String address, int maxMessageBytes, ScheduledExecutorService scheduler) {
    this.scheduler = scheduler;
    this.channel =
        NettyChannelBuilder.forTarget(target(address))
            .usePlaintext()
            // Whatever runs on a channel between members is short and never blocks.
            .directExecutor()
            .maxInboundMessageSize(maxMessageBytes)
            .keepAliveTime(KEEP_ALIVE_TIME_S, TimeUnit.SECONDS)
            .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_S, TimeUnit.SECONDS)
            .keepAliveWithoutCalls(true)
            .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MS)
            .build();
  }

  /** The brackets of an IPv6 address have to be quoted. */
  private static String target(String address) {
    try {
      return new URI("dns", "", "/" + address, null).toASCIIString();
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** Begins to connect, and connects again whenever the connection is lost. */
  void connect() {
    ConnectivityState state = channel.getState(true);
    if (state == ConnectivityState.SHUTDOWN) {
      return;
    }
    if (state != ConnectivityState.READY) {
      beginRetries();
    }
    channel.notifyWhenStateChanged(state, this::connect);
  }

  private synchronized void beginRetries() {
    if (!retrying) {
      retrying = true;
      retryAfter(MIN_BACKOFF_MS);
    }
  }

  private void retryAfter(long backoffMs) {
    try {
      scheduler.schedule(() -> retry(backoffMs), backoffMs, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      channel.shutdownNow(); // The member stops.
    }
  }

  /**
   * A channel reports its first failure but not the later ones, so this goes on until it is ready.
   */
  private synchronized void retry(long backoffMs) {
    ConnectivityState state = channel.getState(true);
    if (state == ConnectivityState.READY || state == ConnectivityState.SHUTDOWN) {
      retrying = false;
      return;
    }
    channel.resetConnectBackoff();
    retryAfter(Math.min(2 * backoffMs, MAX_BACKOFF_MS));
  }

  ManagedChannel channel() {
    return channel;
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}

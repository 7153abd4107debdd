// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import dev.coordinator.server.config.Address;
import dev.coordinator.server.config.ServerConfig;
import dev.coordinator.server.transport.CallGuard;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The gRPC server for clients, with limits on what the connection of one may do. */
final class ClientPort {

  private static final int RESET_WINDOW_S = 30;
  private static final long GRACE_MS = 1_000;

  private final Server server;

  ClientPort(
      Address listen,
      ServerConfig.Grpc limits,
      List<ServerServiceDefinition> services,
      HealthReporter health) {
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(PartSettings.socketAddress(listen))
            // No handler blocks, so none needs a thread of its own.
            .directExecutor()
            .maxInboundMessageSize(limits.maxMessageBytes())
            .maxInboundMetadataSize(limits.maxMetadataBytes())
            .maxConcurrentCallsPerConnection(limits.maxCallsPerConnection())
            .maxRstFramesPerWindow(limits.maxResets(), RESET_WINDOW_S)
            .handshakeTimeout(ms(limits.handshakeTimeout()), TimeUnit.MILLISECONDS)
            .keepAliveTime(ms(limits.keepAliveTime()), TimeUnit.MILLISECONDS)
            .keepAliveTimeout(ms(limits.keepAliveTimeout()), TimeUnit.MILLISECONDS)
            .permitKeepAliveTime(ms(limits.permitKeepAliveTime()), TimeUnit.MILLISECONDS)
            .permitKeepAliveWithoutCalls(true)
            .maxConnectionIdle(ms(limits.maxConnectionIdle()), TimeUnit.MILLISECONDS);
    services.forEach(builder::addService);
    builder.addService(CallGuard.protect(health.service()));
    builder.addService(CallGuard.protect(ProtoReflectionServiceV1.newInstance().bindService()));
    server = builder.build();
  }

  void open() throws IOException {
    server.start();
  }

  int port() {
    return server.getPort();
  }

  /** Takes no new calls; those under way go on. */
  void drain() {
    server.shutdown();
  }

  /** Waits a little for the calls under way, then cuts them off. */
  void close() {
    server.shutdown();
    try {
      if (server.awaitTermination(GRACE_MS, TimeUnit.MILLISECONDS)) {
        return;
      }
      server.shutdownNow();
      server.awaitTermination(GRACE_MS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      server.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }

  private static long ms(Duration duration) {
    return duration.toMillis();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server;

import dev.coordinator.server.ports.LeaderDirectory;
import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Answers {@code grpc.health.v1.Health}: serving while a leader is known, for then any member can
 * answer any call.
 */
final class HealthReporter {

  private static final long INTERVAL_MS = 50;

  private final LeaderDirectory directory;
  private final List<String> services;
  private final HealthStatusManager health = new HealthStatusManager();
  private ServingStatus reported;

  HealthReporter(LeaderDirectory directory, List<ServerServiceDefinition> services) {
    this.directory = directory;
    this.services =
        services.stream().map(service -> service.getServiceDescriptor().getName()).toList();
    update();
  }

  ServerServiceDefinition service() {
    return health.getHealthService().bindService();
  }

  void start(ScheduledExecutorService scheduler) {
    scheduler.scheduleWithFixedDelay(this::update, INTERVAL_MS, INTERVAL_MS, TimeUnit.MILLISECONDS);
  }

  boolean isServing() {
    return !directory.leader().isNone();
  }

  private synchronized void update() {
    ServingStatus status = isServing() ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    if (status != reported) {
      reported = status;
      health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
      services.forEach(service -> health.setStatus(service, status));
    }
  }

  /** Reports that nothing is served any more, whatever happens from here on. */
  void stopping() {
    health.enterTerminalState();
  }
}

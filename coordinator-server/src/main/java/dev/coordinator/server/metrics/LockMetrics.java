// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Locks: how many are held and waited for, for how long, and why they are given up. Counted as
 * {@link LeaseMetrics} tells, by one thread. Names of locks are never labels: there may be
 * millions.
 */
public final class LockMetrics {

  private final MeterRegistry registry;
  private final Reading held;
  private final Reading waiters;
  private final Counter acquired;
  private final Timer acquiredWait;
  private final Map<String, Timer> otherWaits = new TreeMap<>();
  private final Map<String, Counter> releases = new TreeMap<>();
  private final Timer holdDuration;

  public LockMetrics(MeterRegistry registry) {
    this.registry = registry;
    held = Reading.gauge(registry, "coordinator.lock.held", "Locks that are held.");
    waiters = Reading.gauge(registry, "coordinator.lock.waiters", "Requests waiting for a lock.");
    acquired =
        Counter.builder("coordinator.lock.acquired")
            .description("Grants of locks.")
            .register(registry);
    acquiredWait = wait("acquired");
    holdDuration =
        Latencies.longTimer(
                "coordinator.lock.hold.duration", "From the grant of a lock to its end.")
            .register(registry);
  }

  public void present(int locksHeld, int requestsWaiting) {
    held.set(locksHeld);
    waiters.set(requestsWaiting);
  }

  public void acquired(long waitedMs) {
    acquired.increment();
    acquiredWait.record(waitedMs, TimeUnit.MILLISECONDS);
  }

  /** A wait ended without the lock. */
  public void waitEnded(String outcome, long waitedNanos) {
    otherWaits.computeIfAbsent(outcome, this::wait).record(waitedNanos, TimeUnit.NANOSECONDS);
  }

  /** A lock was given up or lost. */
  public void released(String cause, long heldMs) {
    releases.computeIfAbsent(cause, this::releases).increment();
    holdDuration.record(heldMs, TimeUnit.MILLISECONDS);
  }

  private Counter releases(String cause) {
    return Counter.builder("coordinator.lock.released")
        .description("Ends of holding a lock, by cause.")
        .tag("cause", cause.toLowerCase(Locale.ROOT))
        .register(registry);
  }

  private Timer wait(String outcome) {
    return Latencies.longTimer(
            "coordinator.lock.wait.duration",
            "From a request for a lock to its grant or the end of its wait.")
        .tag("outcome", outcome)
        .register(registry);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Snapshots: those that this member writes, sends and receives. */
public final class SnapshotMetrics {

  private final Timer saves;
  private final Counter received;
  private final Counter sentBytes;
  private final Counter refusedParts;
  private final Counter damaged;
  private final Reading index;
  private final Reading size;

  public SnapshotMetrics(MeterRegistry registry) {
    saves =
        Timer.builder("coordinator.snapshot.save.duration")
            .description("How long it took to write a snapshot and make it durable")
            .serviceLevelObjectives(
                Duration.ofMillis(10),
                Duration.ofMillis(50),
                Duration.ofMillis(100),
                Duration.ofMillis(500),
                Duration.ofSeconds(1),
                Duration.ofSeconds(5),
                Duration.ofSeconds(30))
            .register(registry);
    received =
        Counter.builder("coordinator.snapshot.received")
            .description("Snapshots that came from a leader, whole and durable")
            .register(registry);
    sentBytes =
        Counter.builder("coordinator.snapshot.sent.bytes")
            .description("Bytes of snapshots that were read to be sent to followers")
            .baseUnit("bytes")
            .register(registry);
    refusedParts =
        Counter.builder("coordinator.snapshot.parts.refused")
            .description(
                "Parts of snapshots that were damaged, false, too many, or of a snapshot too large")
            .register(registry);
    damaged =
        Counter.builder("coordinator.snapshot.damaged")
            .description("Snapshots on disk that turned out to be damaged")
            .register(registry);
    index =
        Reading.gauge(
            registry, "coordinator.snapshot.index", "The last entry of the newest snapshot");
    size =
        Reading.gauge(
            registry, "coordinator.snapshot.size.bytes", "The size of the newest snapshot");
  }

  public void saved(long durationNanos) {
    saves.record(durationNanos, TimeUnit.NANOSECONDS);
  }

  public void received() {
    received.increment();
  }

  public void sent(int bytes) {
    sentBytes.increment(bytes);
  }

  public void refusedPart() {
    refusedParts.increment();
  }

  public void damaged() {
    damaged.increment();
  }

  public void newest(long lastIndex, long bytes) {
    index.set(lastIndex);
    size.set(bytes);
  }
}

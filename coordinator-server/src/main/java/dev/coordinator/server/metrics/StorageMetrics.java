// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.BaseUnits;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** What the write-ahead log tells about itself. */
public final class StorageMetrics {

  private final Timer syncs;
  private final Counter writtenBytes;
  private final DistributionSummary batchEntries;
  private final AtomicLong segments = new AtomicLong();
  private final AtomicLong sizeBytes = new AtomicLong();

  public StorageMetrics(MeterRegistry registry) {
    syncs =
        Timer.builder("coordinator.wal.fsync.duration")
            .description("How long it took to make one frame of the log durable")
            .serviceLevelObjectives(
                Duration.ofNanos(100_000),
                Duration.ofNanos(200_000),
                Duration.ofNanos(500_000),
                Duration.ofMillis(1),
                Duration.ofMillis(2),
                Duration.ofMillis(5),
                Duration.ofMillis(10),
                Duration.ofMillis(20),
                Duration.ofMillis(50),
                Duration.ofMillis(100),
                Duration.ofMillis(200),
                Duration.ofMillis(500),
                Duration.ofSeconds(1),
                Duration.ofSeconds(5))
            .register(registry);
    writtenBytes =
        Counter.builder("coordinator.wal.write.bytes")
            .description("Bytes written to the log, with headers and padding")
            .baseUnit(BaseUnits.BYTES)
            .register(registry);
    batchEntries =
        DistributionSummary.builder("coordinator.wal.batch.entries")
            .description("Entries that one fsync made durable")
            .serviceLevelObjectives(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
            .register(registry);
    Gauge.builder("coordinator.wal.segments", segments, AtomicLong::get)
        .description("Segments of the log on disk")
        .strongReference(true)
        .register(registry);
    Gauge.builder("coordinator.wal.size", sizeBytes, AtomicLong::get)
        .description("Size of the log's segments on disk, with what is preallocated")
        .baseUnit(BaseUnits.BYTES)
        .strongReference(true)
        .register(registry);
  }

  public void synced(long durationNanos) {
    syncs.record(durationNanos, TimeUnit.NANOSECONDS);
  }

  public void written(long bytes, int entries) {
    writtenBytes.increment((double) bytes);
    batchEntries.record(entries);
  }

  public void segments(int count, long totalBytes) {
    segments.set(count);
    sizeBytes.set(totalBytes);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Counts and times clients' calls. */
public final class RpcMetrics {

  private record CallKey(String service, String method, String code) {}

  private record MethodKey(String service, String method) {}

  private final MeterRegistry registry;
  private final Map<CallKey, Counter> calls = new ConcurrentHashMap<>();
  private final Map<MethodKey, Timer> durations = new ConcurrentHashMap<>();
  private final Map<MethodKey, AtomicInteger> streams = new ConcurrentHashMap<>();
  private final Counter forwarded;

  public RpcMetrics(MeterRegistry registry) {
    this.registry = registry;
    this.forwarded =
        Counter.builder("coordinator.grpc.forwarded")
            .description("Calls passed on to the leader")
            .register(registry);
  }

  /** A call of one message each way ended. */
  public void unaryEnded(String service, String method, String code, long durationNs) {
    count(service, method, code);
    durations
        .computeIfAbsent(new MethodKey(service, method), this::timer)
        .record(durationNs, TimeUnit.NANOSECONDS);
  }

  public void streamBegan(String service, String method) {
    streams.computeIfAbsent(new MethodKey(service, method), this::gauge).incrementAndGet();
  }

  public void streamEnded(String service, String method, String code) {
    count(service, method, code);
    streams.get(new MethodKey(service, method)).decrementAndGet();
  }

  public void forwarded() {
    forwarded.increment();
  }

  private void count(String service, String method, String code) {
    calls.computeIfAbsent(new CallKey(service, method, code), this::counter).increment();
  }

  private Counter counter(CallKey key) {
    return Counter.builder("coordinator.grpc.calls")
        .description("Calls of clients by result")
        .tag("service", key.service)
        .tag("method", key.method)
        .tag("code", key.code)
        .register(registry);
  }

  private Timer timer(MethodKey key) {
    return Latencies.timer(
            "coordinator.grpc.duration",
            "How long calls of one message each way took, waiting for locks included.")
        .tag("service", key.service)
        .tag("method", key.method)
        .register(registry);
  }

  private AtomicInteger gauge(MethodKey key) {
    var active = new AtomicInteger();
    Gauge.builder("coordinator.grpc.streams", active, AtomicInteger::get)
        .description("Streams of clients that are open")
        .tag("service", key.service)
        .tag("method", key.method)
        .register(registry);
    return active;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;

/** The node loop: what waits for it, what it refuses, and how late it runs. */
public final class LoopMetrics {

  private final MeterRegistry registry;
  private final Counter callsRejected;
  private final Counter messagesDropped;
  private final Timer stall;

  public LoopMetrics(MeterRegistry registry) {
    this.registry = registry;
    callsRejected = rejected("call");
    messagesDropped = rejected("message");
    stall =
        Latencies.timer(
                "coordinator.loop.stall",
                "How much later than planned the loop ran: long rounds, pauses, a starved machine.")
            .register(registry);
  }

  /** Sets where the number of waiting inputs comes from. */
  public void mailboxDepth(IntSupplier depth) {
    Gauge.builder("coordinator.mailbox.depth", depth, IntSupplier::getAsInt)
        .description("Calls and messages that wait for the loop.")
        .strongReference(true)
        .register(registry);
  }

  public void callRejected() {
    callsRejected.increment();
  }

  public void messageDropped() {
    messagesDropped.increment();
  }

  public void stalled(long lateNanos) {
    stall.record(lateNanos, TimeUnit.NANOSECONDS);
  }

  private Counter rejected(String input) {
    return Counter.builder("coordinator.mailbox.rejected")
        .description("Inputs refused because too many were waiting.")
        .tag("input", input)
        .register(registry);
  }
}

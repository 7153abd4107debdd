// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.cli.bench;

import dev.coordinator.server.cli.CliException;
import dev.coordinator.server.cli.ExitCode;
import dev.coordinator.server.cli.GrpcFailure;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;

/**
 * One measurement: a warm-up, then a span of time in which rounds count, then an orderly end.
 *
 * <p>Any failure ends it; a benchmark that skips failures measures something else.
 */
abstract class LoadRun implements LoadSession.Listener {

  private enum Phase {
    WARM_UP,
    MEASURE,
    END
  }

  private final LongAdder rounds = new LongAdder();
  private final Latencies latencies = new Latencies();
  private final TokenWitness witness = new TokenWitness();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private final Phaser running = new Phaser(1);
  private volatile Phase phase = Phase.WARM_UP;
  private volatile long measureStartNanos;

  /** What came out. */
  record Result(double perSecond, Latencies.Summary latency) {}

  Result run(Iterable<LoadSession> sessions, Duration warmUp, Duration measure)
      throws InterruptedException {
    for (LoadSession session : sessions) {
      session.open();
    }
    for (LoadSession session : sessions) {
      running.register();
      session.acquire();
    }
    sleep(warmUp);
    measureStartNanos = System.nanoTime();
    phase = Phase.MEASURE;
    sleep(measure);
    phase = Phase.END;
    double seconds = (System.nanoTime() - measureStartNanos) / 1e9;
    Result result = new Result(rounds.sum() / seconds, latencies.summary());
    awaitEnd();
    for (LoadSession session : sessions) {
      session.revoke();
    }
    return result;
  }

  /** Counts something of the measured span. */
  final void count(long startedNanos) {
    if (phase == Phase.MEASURE && startedNanos - measureStartNanos >= 0) {
      rounds.increment();
      latencies.record(System.nanoTime() - startedNanos);
    }
  }

  @Override
  public void granted(LoadSession session, long token) {
    witness.granted(session.lock(), token);
  }

  @Override
  public boolean released(LoadSession session) {
    if (phase != Phase.END && failure.get() == null) {
      return true;
    }
    running.arriveAndDeregister();
    return false;
  }

  @Override
  public void failed(Throwable cause) {
    failure.compareAndSet(null, cause);
    running.arriveAndDeregister();
  }

  private void sleep(Duration span) throws InterruptedException {
    long end = System.nanoTime() + span.toNanos();
    while (failure.get() == null && System.nanoTime() - end < 0) {
      TimeUnit.MILLISECONDS.sleep(10);
    }
    rethrow();
  }

  private void awaitEnd() throws InterruptedException {
    try {
      running.awaitAdvanceInterruptibly(running.arrive(), 30, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new CliException(ExitCode.FAILED, "calls without an answer 30 s after the end");
    }
    rethrow();
  }

  private void rethrow() {
    Throwable cause = failure.get();
    if (cause instanceof CliException explained) {
      throw explained;
    }
    if (cause instanceof StatusRuntimeException call) {
      throw new CliException(
          ExitCode.FAILED, "a call failed, so nothing was measured: " + GrpcFailure.describe(call));
    }
    if (cause != null) {
      throw new CliException(ExitCode.FAILED, "the benchmark failed: " + cause);
    }
  }
}
